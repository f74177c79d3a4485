import { formatShape } from '../dim.ts';
import type { OpTable } from '../op.ts';

/** Rows of a matrix by number, and the adjoint of that. */
export const indexingOps: Pick<OpTable, 'gather' | 'scatterAdd'> = {
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
   * Row `j` of the `[rows, …]` result is the sum of the update rows whose index is `j`:
   * `indices [i]`, `updates [i, …]` (ONNX ScatterND on zeros, reduction add).
   */
  scatterAdd: {
    infer: ([indices, updates], { rows }) => {
      if (indices!.shape.length !== 1 || indices!.shape[0] !== updates!.shape[0]) {
        throw new TypeError(
          `indices ${formatShape(indices!.shape)} do not number the rows of ${formatShape(updates!.shape)}`,
        );
      }
      return { dtype: updates!.dtype, shape: [rows, ...updates!.shape.slice(1)] };
    },
    emit: (onnx, value) => {
      const [indices, updates] = value.inputs;
      const zeros = onnx.temporary(value.name, 'zeros');
      onnx.zeros(zeros, value.dtype, value.shape);
      const columns = onnx.temporary(value.name, 'indices');
      onnx.node('Unsqueeze', [indices!.name, onnx.integers([1])], [columns]);
      onnx.node('ScatterND', [zeros, columns, updates!.name], [value.name], {
        reduction: { text: 'add' },
      });
    },
    vjp: [null, ({ builder, input, cotangent }) => builder.gather(cotangent, input(0))],
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
    ],
  },
};
