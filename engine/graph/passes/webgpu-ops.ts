import { type Graph, rewriteGraph } from '../graph.ts';
import { matrixTransposePerm } from '../ops/linear-algebra.ts';
import { isOp, type Value, type ValueType } from '../value.ts';

type Insert = (value: Value) => Value;

/**
 * Writes a graph in ops that ONNX Runtime's WebGPU provider has kernels for. What it lacks would be computed by
 * the CPU, each time with a copy there and back:
 *
 * - It knows no bfloat16, and float16 only where the GPU does: weights become float32, into which they are widened
 *   on their way to the device (`DeviceWeights`), and what upcasts them goes.
 * - `FusedMatMul` becomes a product of transposed operands, `LogSoftmax` what it is made of.
 * - Sums of rows by number are made by ScatterND, whose additions are atomic there.
 */
export function withWebgpuOps(graph: Graph): Graph {
  return rewriteGraph(graph, (value, _original, insert) => {
    if (isHalf(value)) return { ...value, dtype: 'float32' };
    if (isOp(value, 'cast') && value.dtype === value.inputs[0]!.dtype) return value.inputs[0]!;
    if (isOp(value, 'transposedMatmul')) return plainProduct(value, insert);
    if (isOp(value, 'logSumExp')) return plainLogSumExp(value, insert);
    if (isOp(value, 'scatterAdd')) {
      return { ...value, op: 'addRows' } satisfies Value<'addRows'>;
    }
    return value;
  });
}

function isHalf({ dtype }: ValueType): boolean {
  return dtype === 'bfloat16' || dtype === 'float16';
}

function plainProduct(value: Value<'transposedMatmul'>, insert: Insert): Value {
  const [a, b] = value.inputs as readonly [Value, Value];
  const { transA, transB } = value.attributes;
  return {
    ...value,
    op: 'matmul',
    attributes: {},
    inputs: [
      transA ? transposed(a, `${value.name}:a`, insert) : a,
      transB ? transposed(b, `${value.name}:b`, insert) : b,
    ],
  } satisfies Value<'matmul'>;
}

function transposed(x: Value, name: string, insert: Insert): Value {
  const perm = matrixTransposePerm(x.shape.length);
  const shape = perm.map((axis) => x.shape[axis]!);
  const value: Value<'transpose'> = {
    ...{ op: 'transpose', name, inputs: [x], attributes: { perm }, dtype: x.dtype, shape },
  };
  return insert(value);
}

/** `max + log Σ exp(x − max)` over the last axis. */
function plainLogSumExp(value: Value<'logSumExp'>, insert: Insert): Value {
  const [x] = value.inputs as readonly [Value];
  const { dtype, shape } = value;
  const none = {};
  const over = { axes: [x.shape.length - 1] };
  const name = (role: string): string => `${value.name}:${role}`;
  const max = insert({
    ...{ op: 'reduceMax', name: name('max'), inputs: [x], attributes: over, dtype, shape },
  } satisfies Value<'reduceMax'>);
  const below = insert({
    ...{ op: 'sub', name: name('below'), inputs: [x, max], attributes: none, ...typeOf(x) },
  } satisfies Value<'sub'>);
  const powers = insert({
    ...{ op: 'exp', name: name('powers'), inputs: [below], attributes: none, ...typeOf(x) },
  } satisfies Value<'exp'>);
  const sum = insert({
    ...{ op: 'reduceSum', name: name('sum'), inputs: [powers], attributes: over, dtype, shape },
  } satisfies Value<'reduceSum'>);
  const log = insert({
    ...{ op: 'log', name: name('log'), inputs: [sum], attributes: none, dtype, shape },
  } satisfies Value<'log'>);
  return {
    ...{ op: 'add', name: value.name, inputs: [max, log], attributes: none, dtype, shape },
  } satisfies Value<'add'>;
}

function typeOf({ dtype, shape }: ValueType): ValueType {
  return { dtype, shape };
}
