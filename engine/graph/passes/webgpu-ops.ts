import { type Graph, rewriteGraph } from '../graph.ts';
import type { OpAttributes, OpName } from '../op.ts';
import { matrixTransposePerm } from '../ops/linear-algebra.ts';
import { opTable } from '../ops/table.ts';
import { isOp, type Value, type ValueType } from '../value.ts';
import { sineAndCosine } from './sine-and-cosine.ts';

/** Puts an op before the value that is rewritten. */
export type Apply = <K extends OpName>(
  op: K,
  inputs: readonly Value[],
  attributes: OpAttributes[K],
) => Value<K>;

/**
 * Writes a graph in ops that ONNX Runtime's WebGPU provider has exact kernels for. What it lacks would be computed by
 * the CPU, each time with a copy there and back:
 *
 * - It knows no bfloat16, and float16 only where the GPU does: weights become float32, into which they are widened
 *   on their way to the device (`DeviceWeights`), and what upcasts them goes.
 * - `FusedMatMul` becomes a product of transposed operands, `LogSoftmax` what it is made of.
 * - Sums of rows by number are made by ScatterND, whose additions are atomic there.
 * - Sines and cosines are made of products and sums, since WGSL's own may be off by 2⁻¹¹, and more beyond π.
 */
export function withWebgpuOps(graph: Graph): Graph {
  const turns = new Map<Value, ReturnType<typeof sineAndCosine>>();
  return rewriteGraph(graph, (value, _original, insert) => {
    const apply = applier(value.name, insert);
    if (isHalf(value)) return { ...value, dtype: 'float32' };
    if (isOp(value, 'cast') && value.dtype === value.inputs[0]!.dtype) return value.inputs[0]!;
    if (isOp(value, 'transposedMatmul')) return plainProduct(value, apply);
    if (isOp(value, 'logSumExp')) return plainLogSumExp(value, apply);
    if (isOp(value, 'scatterAdd')) return apply('addRows', value.inputs, value.attributes);
    if (isOp(value, 'sin') || isOp(value, 'cos')) {
      const [angle] = value.inputs as readonly [Value];
      const both = turns.get(angle) ?? sineAndCosine(angle, apply);
      turns.set(angle, both);
      return both[value.op];
    }
    return value;
  });
}

function applier(name: string, insert: (value: Value) => Value): Apply {
  let count = 0;
  return <K extends OpName>(op: K, inputs: readonly Value[], attributes: OpAttributes[K]) => {
    const type = opTable[op].infer(inputs, attributes);
    const value: Value<K> = { op, inputs, attributes, name: `${name}:${op}_${count++}`, ...type };
    insert(value);
    return value;
  };
}

function isHalf({ dtype }: ValueType): boolean {
  return dtype === 'bfloat16' || dtype === 'float16';
}

function plainProduct(value: Value<'transposedMatmul'>, apply: Apply): Value {
  const [a, b] = value.inputs as readonly [Value, Value];
  const { transA, transB } = value.attributes;
  const turned = (x: Value): Value =>
    apply('transpose', [x], { perm: matrixTransposePerm(x.shape.length) });
  return apply('matmul', [transA ? turned(a) : a, transB ? turned(b) : b], {});
}

/** `max + log Σ exp(x − max)` over the last axis. */
function plainLogSumExp(value: Value<'logSumExp'>, apply: Apply): Value {
  const [x] = value.inputs as readonly [Value];
  const last = { axes: [x.shape.length - 1] };
  const max = apply('reduceMax', [x], last);
  const powers = apply('exp', [apply('sub', [x, max], {})], {});
  return apply('add', [max, apply('log', [apply('reduceSum', [powers], last)], {})], {});
}
