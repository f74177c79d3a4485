import type { DType } from '../../engine/graph/dtype.ts';
import { type Graph, rewriteGraph } from '../../engine/graph/graph.ts';
import { isOp, type Value } from '../../engine/graph/value.ts';

/**
 * A graph for CUDA as one that the CPU computes, which has no product of bfloat16 numbers: the factors are
 * upcast, which is exact, multiplied and added up in float32, and the sum is rounded, which is what cuBLAS
 * promises.
 */
export function roundingSpelledOut(graph: Graph): Graph {
  return rewriteGraph(graph, (value, _original, insert) => {
    if (!isOp(value, 'gemm') || value.dtype !== 'bfloat16') return value;
    const { name } = value;
    const factors = value.inputs.map((input, i) =>
      insert(cast(input, 'float32', `${name}:factor${i}`)),
    );
    const sum = insert({ ...value, dtype: 'float32', inputs: factors, name: `${name}:sum` });
    return cast(sum, 'bfloat16', name);
  });
}

function cast(x: Value, to: DType, name: string): Value<'cast'> {
  return { op: 'cast', inputs: [x], attributes: { to }, name, dtype: to, shape: x.shape };
}
