import { formatShape, sameShape } from '../dim.ts';
import type { OpTable } from '../op.ts';

/** Rows of a matrix by number, the adjoint of that, and which rows are meant. */
export const indexingOps: Pick<OpTable, 'gather' | 'scatterAdd' | 'topKMask' | 'nonZero'> = {
  /** `data [n, …]`, `indices [i…] → [i…, …]` (ONNX Gather, axis 0). */
  gather: {
    infer: ([data, indices]) => ({
      dtype: data!.dtype,
      shape: [...indices!.shape, ...data!.shape.slice(1)],
    }),
    emit: (onnx, value) =>
      onnx.node('Gather', [value.inputs[0]!.name, value.inputs[1]!.name], [value.name], {
        axis: 0,
      }),
    vjp: [
      ({ builder, input, cotangent }) =>
        builder.scatterAdd(input(1), cotangent, input(0).shape[0]!),
      null,
    ],
    samples: [
      {
        inputs: [{ shape: [4, 3] }, { shape: [5], dtype: 'int64', from: 0, to: 3 }],
        attributes: {},
      },
      {
        inputs: [{ shape: [1, 2] }, { shape: [3], dtype: 'int64', from: 0, to: 0 }],
        attributes: {},
      },
      {
        inputs: [{ shape: [3, 2] }, { shape: [1], dtype: 'int64', from: 0, to: 2 }],
        attributes: {},
      },
    ],
  },
  /**
   * Row `j` of the `[rows, …]` result is the sum of the update rows whose index is `j`, added to row
   * `j` of a third input where there is one: `indices [i]`, `updates [i, …]`, `onto [rows, …]` (ONNX
   * ScatterND, reduction add). ONNX Runtime writes over `onto` if nobody else reads it.
   */
  scatterAdd: {
    infer: ([indices, updates, onto], { rows }) => {
      if (indices!.shape.length !== 1 || indices!.shape[0] !== updates!.shape[0]) {
        throw new TypeError(
          `indices ${formatShape(indices!.shape)} do not number the rows of ${formatShape(updates!.shape)}`,
        );
      }
      const shape = [rows, ...updates!.shape.slice(1)];
      if (onto !== undefined && !sameShape(onto.shape, shape)) {
        throw new TypeError(`${formatShape(onto.shape)} is not ${formatShape(shape)}`);
      }
      return { dtype: updates!.dtype, shape };
    },
    emit: (onnx, value) => {
      const [indices, updates, onto] = value.inputs;
      const zeros = onnx.temporary(value.name, 'zeros');
      if (onto === undefined) onnx.zeros(zeros, value.dtype, value.shape);
      const columns = onnx.temporary(value.name, 'indices');
      onnx.node('Unsqueeze', [indices!.name, onnx.integers([1])], [columns]);
      onnx.node('ScatterND', [onto?.name ?? zeros, columns, updates!.name], [value.name], {
        reduction: { text: 'add' },
      });
    },
    vjp: [
      null,
      ({ builder, input, cotangent }) => builder.gather(cotangent, input(0)),
      ({ cotangent }) => cotangent,
    ],
    samples: [
      {
        inputs: [{ shape: [5], dtype: 'int64', from: 0, to: 3 }, { shape: [5, 2] }],
        attributes: { rows: 4 },
      },
      {
        inputs: [{ shape: [1], dtype: 'int64', from: 0, to: 0 }, { shape: [1, 3] }],
        attributes: { rows: 1 },
      },
      {
        inputs: [{ shape: [3], dtype: 'int64', from: 0, to: 1 }, { shape: [3, 1] }],
        attributes: { rows: 2 },
      },
      {
        inputs: [
          { shape: [2], dtype: 'int64', from: 0, to: 2 },
          { shape: [2, 2] },
          { shape: [3, 2] },
        ],
        attributes: { rows: 3 },
      },
    ],
  },
  /** `x [rows, n] → bool [rows, n]`: where the `k` largest of each row are (ONNX TopK). */
  topKMask: {
    infer: ([x], { k }) => {
      const [, columns] = x!.shape;
      if (x!.shape.length !== 2 || !(k >= 1 && k <= Number(columns))) {
        throw new TypeError(`there are no ${k} largest in the rows of ${formatShape(x!.shape)}`);
      }
      return { dtype: 'bool', shape: x!.shape };
    },
    emit: (onnx, value) => {
      const x = value.inputs[0]!.name;
      const [values, indices, none, all] = ['values', 'indices', 'none', 'all'].map((role) =>
        onnx.temporary(value.name, role),
      );
      onnx.node('TopK', [x, onnx.integers([value.attributes.k])], [values!, indices!], { axis: 1 });
      // Masks of the right sizes, which may differ from run to run.
      onnx.node('Less', [x, x], [none!]);
      onnx.node('Equal', [indices!, indices!], [all!]);
      onnx.node('ScatterElements', [none!, indices!, all!], [value.name], { axis: 1 });
    },
    vjp: 'not differentiable',
    samples: [],
  },
  /** `mask [n] → int64 [count]`: at which places it is true, in order (ONNX NonZero). */
  nonZero: {
    infer: ([mask], { count }) => {
      if (mask!.shape.length !== 1) {
        throw new TypeError(`${formatShape(mask!.shape)} has more than one axis`);
      }
      return { dtype: 'int64', shape: [count] };
    },
    emit: (onnx, value) => {
      const places = onnx.temporary(value.name, 'places');
      onnx.node('NonZero', [value.inputs[0]!.name], [places]);
      onnx.node('Squeeze', [places, onnx.integers([0])], [value.name]);
    },
    vjp: 'not differentiable',
    samples: [],
  },
};
