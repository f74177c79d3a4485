import { isStatic } from '../dim.ts';
import { type Graph, rewriteGraph } from '../graph.ts';
import { isOp, type Value } from '../value.ts';
import { scaled } from './scaled.ts';

/**
 * oneDNN adds a product of so many columns and fewer to a sum faster in float32 than in bfloat16: 310 against 420 µs
 * for 512 × 16 × 1,536, while 512 × 128 × 1,536 takes 930 against 300 (measured with AMX).
 */
const FASTER_IN_FLOAT32 = 64;

/**
 * Products of an adapter in bfloat16 where that is faster: those of what is rounded to bfloat16 anyway, activations and
 * their gradients, which the layer's own weights are multiplied with, and those of the adapter's inner side where it
 * is wide. Rounding its narrow matrices costs next to nothing. Each value is rounded once, where it is first needed, and
 * none that comes from bfloat16.
 */
export function multiplyRounded(graph: Graph): Graph {
  const isRounded = new Set(
    graph.values.filter(({ op }) => op === 'toBfloat16').map(({ inputs }) => inputs[0]!),
  );
  const known = new Map<Value, Value>();
  return rewriteGraph(graph, (value, original, insert) => {
    const rounded = (x: Value): Value => {
      // What was rounded before it was made wide again is what it was.
      if (isOp(x, 'cast') && x.inputs[0]!.dtype === 'bfloat16') return x.inputs[0]!;
      const made = known.get(x) ?? insert(toBfloat16(x));
      known.set(x, made);
      return made;
    };
    if (value.op === 'toBfloat16') return rounded(value.inputs[0]!);
    // Of the rows of an expert, which compute in float32, only a run knows how many there are.
    if (!isOp(value, 'gemm') || !value.inputs.every(({ shape }) => isStatic(shape))) return value;
    const [left, right, sum] = value.inputs as readonly [Value, Value, Value | undefined];
    const { transA, transB, alpha } = value.attributes;
    const inner = Number(left.shape[transA ? 0 : 1]);
    // A product of an adapter's two narrow sides, which is added to that of the layer, or to its gradient.
    const isNarrow = right.op === 'input' && inner <= Math.min(...value.shape.map(Number));
    const isWide = isNarrow && inner > FASTER_IN_FLOAT32;
    if (!isWide && !(sum === undefined && isRounded.has(original.inputs[0]!))) return value;
    const { name, dtype, shape } = value;
    const product: Value<'matmulBfloat16'> = {
      op: 'matmulBfloat16',
      inputs: [rounded(scaled(right, alpha, name, insert)), rounded(left)],
      attributes: { transA, transB },
      name: sum === undefined ? name : `${name}:product`,
      dtype,
      shape,
    };
    if (sum === undefined) return product;
    const whole: Value<'add'> = {
      op: 'add',
      inputs: [sum, insert(product)],
      attributes: {},
      name,
      dtype,
      shape,
    };
    return whole;
  });
}

function toBfloat16(x: Value): Value<'toBfloat16'> {
  return {
    op: 'toBfloat16',
    inputs: [x],
    attributes: {},
    name: `${x.name}:bfloat16`,
    dtype: 'bfloat16',
    shape: x.shape,
  };
}
