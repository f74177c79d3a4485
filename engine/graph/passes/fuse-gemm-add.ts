import { sameShape } from '../dim.ts';
import { countUses, type Graph, rewriteGraph } from '../graph.ts';
import { isOp, type Value } from '../value.ts';

/**
 * Turns `add(gemm(a, b), c)` into `gemm(a, b, c)` where nothing else reads the product. It saves a
 * node, which counts where there are few rows; with many of them the copy that ONNX Runtime makes
 * of `c` on one thread counts more.
 */
export function fuseGemmAdd(graph: Graph): Graph {
  const uses = countUses(graph);
  return rewriteGraph(graph, (value, original) => {
    if (value.op !== 'add') return value;
    for (const [i, j] of [
      [1, 0],
      [0, 1],
    ] as const) {
      const product = value.inputs[i]!;
      const other = value.inputs[j]!;
      const fusible =
        isOp(product, 'gemm') &&
        product.inputs.length === 2 &&
        uses.get(original.inputs[i]!) === 1 &&
        sameShape(product.shape, value.shape);
      if (fusible) {
        const fused: Value<'gemm'> = {
          ...product,
          inputs: [...product.inputs, other],
          name: value.name,
        };
        return fused;
      }
    }
    return value;
  });
}
