import { type Graph, rewriteGraph } from '../graph.ts';
import { matrixTransposePerm } from '../ops/linear-algebra.ts';
import { isOp, type Value } from '../value.ts';

/**
 * Turns `matmul(transpose(a), b)` into one op that reads a transposed where it lies, and so for b.
 * Gradients of products are full of transposed operands, each of which would be a copy.
 */
export function fuseTransposedMatmul(graph: Graph): Graph {
  return rewriteGraph(graph, (value) => {
    if (!isOp(value, 'matmul') || value.dtype !== 'float32') return value;
    const [a, b] = value.inputs as readonly [Value, Value];
    const [transA, transB] = [isMatrixTranspose(a), isMatrixTranspose(b)];
    if (!transA && !transB) return value;
    const fused: Value<'transposedMatmul'> = {
      ...value,
      op: 'transposedMatmul',
      inputs: [transA ? a.inputs[0]! : a, transB ? b.inputs[0]! : b],
      attributes: { transA, transB },
    };
    return fused;
  });
}

function isMatrixTranspose(value: Value): boolean {
  return (
    isOp(value, 'transpose') &&
    value.attributes.perm.every((axis, i) => axis === matrixTransposePerm(value.shape.length)[i])
  );
}
