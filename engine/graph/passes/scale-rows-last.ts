import { countUses, type Graph, rewriteGraph } from '../graph.ts';
import { isOp, type Value } from '../value.ts';

/**
 * Turns `gemm(x · column, b)` into `gemm(x, b) · column`, where the column scales the rows of x.
 * The product usually has far fewer columns than x: logits against hidden states.
 */
export function scaleRowsLast(graph: Graph): Graph {
  const uses = countUses(graph);
  return rewriteGraph(graph, (value, original, insert) => {
    if (!isOp(value, 'gemm') || value.attributes.transA || value.inputs.length !== 2) return value;
    const [scaled, b] = value.inputs as readonly [Value, Value];
    if (scaled.op !== 'mul' || uses.get(original.inputs[0]!) !== 1) return value;
    const column = scaled.inputs.find(({ shape }) => shape.length === 2 && shape[1] === 1);
    const x = scaled.inputs.find((input) => input !== column);
    if (column === undefined || x?.shape.length !== 2 || x.shape[0] !== column.shape[0]) {
      return value;
    }
    const product = insert({ ...value, inputs: [x, b], name: `${value.name}:unscaled` });
    const result: Value<'mul'> = {
      op: 'mul',
      inputs: [product, column],
      attributes: {},
      name: value.name,
      dtype: value.dtype,
      shape: value.shape,
    };
    return result;
  });
}
