import { addDims, formatShape, mulDims, numElements, type Shape } from '../dim.ts';
import type { OpTable } from '../op.ts';
import { broadcastShapes, commonDtype, requireAxis } from './shape-rules.ts';

/** The same shape with another size at one axis. */
function withAxis(shape: Shape, axis: number, size: Shape[number]): Shape {
  return shape.map((dim, i) => (i === axis ? size : dim));
}

/** Ops that move elements without computing. */
export const movementOps: Pick<
  OpTable,
  'reshape' | 'unflatten' | 'transpose' | 'expand' | 'slice' | 'pad' | 'concat'
> = {
  reshape: {
    infer: ([x], { shape }) => {
      if (numElements(x!.shape) !== numElements(shape)) {
        throw new TypeError(
          `${formatShape(x!.shape)} has not as many elements as ${formatShape(shape)}`,
        );
      }
      return { dtype: x!.dtype, shape };
    },
    emit: (onnx, value) => {
      const target = onnx.shape(value.attributes.shape, value.inputs[0]!.shape);
      onnx.node('Reshape', [value.inputs[0]!.name, target], [value.name]);
    },
    vjp: [({ builder, input, cotangent }) => builder.reshape(cotangent, input(0).shape)],
    samples: [
      { inputs: [{ shape: [2, 6] }], attributes: { shape: [3, 4] } },
      { inputs: [{ shape: [1] }], attributes: { shape: [1, 1, 1] } },
      { inputs: [{ shape: [2, 3, 4] }], attributes: { shape: [24] } },
    ],
  },
  /**
   * `x [a · b, …], like [a, b] → [a, b, …]`: what a reshape cannot say where neither size is known
   * before a run (PyTorch `unflatten`).
   */
  unflatten: {
    infer: ([x, like]) => {
      const [rows, ...rest] = x!.shape;
      const [a, b] = like!.shape;
      if (like!.shape.length !== 2 || mulDims(a!, b!) !== rows) {
        throw new TypeError(
          `the first axis of ${formatShape(x!.shape)} does not part into ${formatShape(like!.shape)}`,
        );
      }
      return { dtype: x!.dtype, shape: [a!, b!, ...rest] };
    },
    emit: (onnx, value) => {
      const [x, like] = value.inputs;
      const [sizes, target] = ['sizes', 'target'].map((role) => onnx.temporary(value.name, role));
      const rest = onnx.integers(value.shape.slice(2).map(Number));
      onnx.node('Shape', [like!.name], [sizes!]);
      onnx.node('Concat', [sizes!, rest], [target!], { axis: 0 });
      onnx.node('Reshape', [x!.name, target!], [value.name]);
    },
    vjp: [({ builder, input, cotangent }) => builder.reshape(cotangent, input(0).shape), null],
    samples: [
      [
        [6, 4],
        [2, 3],
      ],
      [
        [3, 2, 5],
        [1, 3],
      ],
      [
        [1, 1],
        [1, 1],
      ],
    ].map(([shape, like]) => ({
      inputs: [{ shape: shape! }, { shape: like!, dtype: 'int64' }],
      attributes: {},
    })),
  },
  transpose: {
    infer: ([x], { perm }) => {
      const axes = perm.toSorted((a, b) => a - b);
      if (perm.length !== x!.shape.length || axes.some((axis, i) => axis !== i)) {
        throw new TypeError(`[${perm}] is no permutation of the axes of ${formatShape(x!.shape)}`);
      }
      return { dtype: x!.dtype, shape: perm.map((axis) => x!.shape[axis]!) };
    },
    emit: (onnx, value) =>
      onnx.node('Transpose', [value.inputs[0]!.name], [value.name], {
        perm: value.attributes.perm,
      }),
    vjp: [
      ({ builder, value, cotangent }) => {
        const { perm } = value.attributes;
        return builder.transpose(
          cotangent,
          perm.map((_, axis) => perm.indexOf(axis)),
        );
      },
    ],
    samples: [
      { inputs: [{ shape: [2, 3] }], attributes: { perm: [1, 0] } },
      { inputs: [{ shape: [2, 3, 4, 1] }], attributes: { perm: [2, 0, 3, 1] } },
      { inputs: [{ shape: [1, 1, 3] }], attributes: { perm: [1, 2, 0] } },
    ],
  },
  expand: {
    infer: ([x], { shape }) => {
      const result = broadcastShapes(x!.shape, shape);
      if (formatShape(result) !== formatShape(shape)) {
        throw new TypeError(`${formatShape(x!.shape)} does not expand to ${formatShape(shape)}`);
      }
      return { dtype: x!.dtype, shape };
    },
    emit: (onnx, value) => {
      const target = onnx.shape(value.attributes.shape, value.inputs[0]!.shape);
      onnx.node('Expand', [value.inputs[0]!.name, target], [value.name]);
    },
    vjp: [({ cotangent }) => cotangent],
    samples: [
      { inputs: [{ shape: [2, 1] }], attributes: { shape: [2, 3] } },
      { inputs: [{ shape: [1] }], attributes: { shape: [4, 2, 3] } },
      { inputs: [{ shape: [3] }], attributes: { shape: [3] } },
    ],
  },
  /** Elements `start` to `end` (exclusive) of one axis. */
  slice: {
    infer: ([x], { axis, start, end }) => {
      requireAxis(x!.shape, axis);
      const size = x!.shape[axis]!;
      if (start < 0 || end <= start || (typeof size === 'number' && end > size)) {
        throw new TypeError(`${start}:${end} of axis ${axis} is outside ${formatShape(x!.shape)}`);
      }
      return { dtype: x!.dtype, shape: withAxis(x!.shape, axis, end - start) };
    },
    emit: (onnx, value) => {
      const { axis, start, end } = value.attributes;
      onnx.node(
        'Slice',
        [value.inputs[0]!.name, ...[start, end, axis].map((n) => onnx.integers([n]))],
        [value.name],
      );
    },
    vjp: [
      ({ builder, input, value, cotangent }) => {
        const { axis, start, end } = value.attributes;
        const size = Number(input(0).shape[axis]);
        return builder.pad(cotangent, axis, start, size - end);
      },
    ],
    samples: [
      { inputs: [{ shape: [2, 5] }], attributes: { axis: 1, start: 1, end: 3 } },
      { inputs: [{ shape: [3, 1] }], attributes: { axis: 1, start: 0, end: 1 } },
      { inputs: [{ shape: [2, 3, 4] }], attributes: { axis: 0, start: 1, end: 2 } },
    ],
  },
  /** Zeros before and after one axis. */
  pad: {
    infer: ([x], { axis, before, after }) => {
      requireAxis(x!.shape, axis);
      const size = addDims(x!.shape[axis]!, before + after);
      return { dtype: x!.dtype, shape: withAxis(x!.shape, axis, size) };
    },
    emit: (onnx, value) => {
      const { axis, before, after } = value.attributes;
      onnx.node(
        'Pad',
        [value.inputs[0]!.name, onnx.integers([before, after]), '', onnx.integers([axis])],
        [value.name],
      );
    },
    vjp: [
      ({ builder, input, value, cotangent }) => {
        const { axis, before } = value.attributes;
        return builder.slice(cotangent, axis, before, before + Number(input(0).shape[axis]));
      },
    ],
    samples: [
      { inputs: [{ shape: [2, 3] }], attributes: { axis: 1, before: 2, after: 1 } },
      { inputs: [{ shape: [1] }], attributes: { axis: 0, before: 0, after: 3 } },
      { inputs: [{ shape: [2, 1, 2] }], attributes: { axis: 0, before: 1, after: 0 } },
    ],
  },
  concat: {
    infer: (inputs, { axis }) => {
      const [first, ...rest] = inputs;
      requireAxis(first!.shape, axis);
      const shape = rest.reduce<Shape>((sum, { shape: next }) => {
        const merged = withAxis(sum, axis, addDims(sum[axis]!, next[axis] ?? 0));
        if (formatShape(withAxis(next, axis, 0)) !== formatShape(withAxis(sum, axis, 0))) {
          throw new TypeError(
            `${formatShape(next)} does not join ${formatShape(sum)} at axis ${axis}`,
          );
        }
        return merged;
      }, first!.shape);
      return { dtype: commonDtype(inputs), shape };
    },
    emit: (onnx, value) =>
      onnx.node(
        'Concat',
        value.inputs.map((input) => input.name),
        [value.name],
        { axis: value.attributes.axis },
      ),
    vjp: ({ builder, input, value, cotangent }, index) => {
      const { axis } = value.attributes;
      const size = (i: number): number => Number(input(i).shape[axis]);
      let start = 0;
      for (let i = 0; i < index; i++) start += size(i);
      return builder.slice(cotangent, axis, start, start + size(index));
    },
    samples: [
      {
        inputs: [{ shape: [2, 3] }, { shape: [2, 1] }, { shape: [2, 2] }],
        attributes: { axis: 1 },
      },
      { inputs: [{ shape: [1] }, { shape: [4] }], attributes: { axis: 0 } },
      { inputs: [{ shape: [2, 2, 3] }, { shape: [2, 1, 3] }], attributes: { axis: 1 } },
    ],
  },
};
