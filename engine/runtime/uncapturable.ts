import { type Graph, hasStaticShapes } from '../graph/graph.ts';
import { isOp, type Value } from '../graph/value.ts';

/** So many equally long inputs have their addresses among a kernel's own arguments. */
const CONCAT_BY_VALUE = 32;

/**
 * Why replays of a graph would not compute what it computes, as the end of a sentence; undefined where they would.
 *
 * Nothing of a graph may change but the numbers on the device, and no kernel may copy from memory of the host that is
 * there for the moment of the call alone: a replay would copy whatever is there by then. `MatMulBnb4` has its table of
 * sixteen values on the stack, and `Concat` the addresses of inputs that are many or not equally long.
 */
export function uncapturable(graph: Graph): string | undefined {
  if (!hasStaticShapes(graph))
    return 'how many tokens each expert has is known only while they run';
  for (const value of graph.values) {
    const why = isOp(value, 'concat')
      ? concatProblem(value)
      : isOp(value, 'matmulBnb4') &&
        "the kernel of NF4's products reads memory of the host (model.quantization)";
    if (why) return why;
  }
  return undefined;
}

function concatProblem({ inputs, attributes }: Value<'concat'>): string | undefined {
  const lengths = inputs.map(({ shape }) => shape[attributes.axis]);
  if (lengths.some((length) => length !== lengths[0])) {
    return 'tensors that are not equally long are joined, as of rows whose length is no multiple of 128 (data.pad_to_multiple_of), or of heads that are turned in part (partial_rotary_factor)';
  }
  if (lengths.length > CONCAT_BY_VALUE) {
    return `more than ${CONCAT_BY_VALUE} tensors are joined at once, as of batches or rows of more than ${128 * CONCAT_BY_VALUE} tokens`;
  }
  return undefined;
}
