import type { GraphBuilder } from '../builder.ts';
import { mulDims, type Shape } from '../dim.ts';
import type { Op, OpTable, Sample } from '../op.ts';
import type { Value, ValueType } from '../value.ts';
import { requireAxis, sameType } from './shape-rules.ts';

function reduceShape(shape: Shape, axes: readonly number[]): Shape {
  for (const axis of axes) requireAxis(shape, axis);
  return shape.map((dim, axis) => (axes.includes(axis) ? 1 : dim));
}

/** Number of elements that each output of a reduction is made of. */
function reducedSize(shape: Shape, axes: readonly number[]): number {
  const size = axes.map((axis) => shape[axis]!).reduce(mulDims, 1);
  if (typeof size === 'string') throw new TypeError(`the gradient of a mean over ${size} elements`);
  return size;
}

function reduction<K extends 'reduceSum' | 'reduceMean' | 'reduceMax'>(
  onnxOp: string,
  scale?: (builder: GraphBuilder, x: Value, axes: readonly number[], dy: Value) => Value,
): Op<K> {
  return {
    infer: ([x]: readonly ValueType[], { axes }) => ({
      dtype: x!.dtype,
      shape: reduceShape(x!.shape, axes),
    }),
    emit: (onnx, value) => {
      const axes = onnx.integers(value.attributes.axes);
      onnx.node(onnxOp, [value.inputs[0]!.name, axes], [value.name], { keepdims: 1 });
    },
    vjp:
      scale === undefined
        ? 'not differentiable'
        : [
            ({ builder, input, value: { attributes }, cotangent }) =>
              builder.expand(scale(builder, input(0), attributes.axes, cotangent), input(0).shape),
          ],
    samples: [
      { inputs: [{ shape: [2, 3] }], attributes: { axes: [1] } },
      { inputs: [{ shape: [2, 1, 4] }], attributes: { axes: [0, 1] } },
      { inputs: [{ shape: [1] }], attributes: { axes: [0] } },
    ],
  };
}

const lastAxisSamples: Sample<Readonly<Record<never, never>>>[] = [
  [2, 5],
  [3, 1],
  [2, 2, 3],
].map((shape) => ({ inputs: [{ shape, from: -3, to: 3 }], attributes: {} }));

const lastAxis = (value: ValueType): number => value.shape.length - 1;

/** Sums, means, maxima and softmax. Reduced axes stay with size 1. */
export const reductionOps: Pick<
  OpTable,
  'reduceSum' | 'reduceMean' | 'reduceMax' | 'softmax' | 'logSumExp'
> = {
  reduceSum: reduction('ReduceSum', (_b, _x, _axes, dy) => dy),
  reduceMean: reduction('ReduceMean', (b, x, axes, dy) =>
    b.mul(dy, b.scalar(1 / reducedSize(x.shape, axes), dy.dtype)),
  ),
  reduceMax: reduction('ReduceMax'),
  /** Over the last axis. */
  softmax: {
    infer: sameType,
    emit: (onnx, value) =>
      onnx.node('Softmax', [value.inputs[0]!.name], [value.name], { axis: -1 }),
    // dx = y · (dy − Σ dy·y)
    vjp: [
      ({ builder: b, value, cotangent }) => {
        const weighted = b.mul(cotangent, value);
        const total = b.reduceSum(weighted, [lastAxis(value)]);
        return b.sub(weighted, b.mul(value, total));
      },
    ],
    samples: lastAxisSamples,
  },
  /** Over the last axis, which stays with size 1; the maximum is taken out first. */
  logSumExp: {
    infer: ([x]) => ({ dtype: x!.dtype, shape: reduceShape(x!.shape, [lastAxis(x!)]) }),
    // x₀ − logSoftmax(x)₀, for ONNX Runtime's own ReduceLogSumExp takes five times as long.
    emit: (onnx, value) => {
      const x = value.inputs[0]!.name;
      const [logSoftmax, ofFirst, first] = ['log_softmax', 'of_first', 'first'].map((role) =>
        onnx.temporary(value.name, role),
      ) as [string, string, string];
      const bounds = [[0], [1], [lastAxis(value)]].map((numbers) => onnx.integers(numbers));
      onnx.node('LogSoftmax', [x], [logSoftmax], { axis: -1 });
      onnx.node('Slice', [logSoftmax, ...bounds], [ofFirst]);
      onnx.node('Slice', [x, ...bounds], [first]);
      onnx.node('Sub', [first, ofFirst], [value.name]);
    },
    // The softmax is made from the result, so that no reader of the input is left for later.
    vjp: [
      ({ builder: b, input, value, cotangent }) => b.mul(b.exp(b.sub(input(0), value)), cotangent),
    ],
    samples: lastAxisSamples,
  },
};
