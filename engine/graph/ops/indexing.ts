import { type Dim, formatShape, sameShape } from '../dim.ts';
import type { OpTable } from '../op.ts';
import type { ValueType } from '../value.ts';
import { sameType } from './shape-rules.ts';

function summedRowsType([indices, updates]: readonly ValueType[], rows: Dim): ValueType {
  if (indices!.shape.length !== 1 || indices!.shape[0] !== updates!.shape[0]) {
    throw new TypeError(
      `indices ${formatShape(indices!.shape)} do not number the rows of ${formatShape(updates!.shape)}`,
    );
  }
  return { dtype: updates!.dtype, shape: [rows, ...updates!.shape.slice(1)] };
}

/** Rows of a matrix by number, the adjoint of that, and what rows are numbered by. */
export const indexingOps: Pick<
  OpTable,
  'gather' | 'scatterAdd' | 'addRows' | 'setRows' | 'topKMask' | 'nonZero' | 'cumSum'
> = {
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
   * `indices [i]`, `updates [i, …]` (ONNX ScatterElements on zeros, reduction add). ONNX Runtime's
   * ScatterND loses updates where two threads add to one row at the same time.
   */
  scatterAdd: {
    infer: (inputs, { rows }) => summedRowsType(inputs, rows),
    emit: (onnx, value) => {
      const [indices, updates] = value.inputs;
      const [zeros, column, shape, elements] = ['zeros', 'column', 'shape', 'elements'].map(
        (role) => onnx.temporary(value.name, role),
      );
      onnx.zeros(zeros!, value.dtype, value.shape);
      const inner = updates!.shape.slice(1).map((_, axis) => axis + 1);
      onnx.node('Unsqueeze', [indices!.name, onnx.integers(inner)], [column!]);
      onnx.node('Shape', [updates!.name], [shape!]);
      onnx.node('Expand', [column!, shape!], [elements!]);
      onnx.node('ScatterElements', [zeros!, elements!, updates!.name], [value.name], {
        axis: 0,
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
  /** What `scatterAdd` makes (ONNX ScatterND on zeros, reduction add). */
  addRows: {
    infer: (inputs, { rows }) => summedRowsType(inputs, rows),
    emit: (onnx, value) => {
      const [indices, updates] = value.inputs;
      const [zeros, column] = ['zeros', 'column'].map((role) => onnx.temporary(value.name, role));
      onnx.zeros(zeros!, value.dtype, value.shape);
      onnx.node('Reshape', [indices!.name, onnx.integers([-1, 1])], [column!]);
      onnx.node('ScatterND', [zeros!, column!, updates!.name], [value.name], {
        reduction: { text: 'add' },
      });
    },
    vjp: 'not differentiable',
    samples: [],
  },
  /**
   * `data [n, …]` with the rows `indices [i]` replaced by `rows [i, …]`, no two of them the same (ONNX ScatterND).
   * A run may write the result over `data`.
   */
  setRows: {
    infer: ([data, indices, rows]) => {
      const isFit =
        indices!.shape.length === 1 &&
        rows!.dtype === data!.dtype &&
        sameShape(rows!.shape, [indices!.shape[0]!, ...data!.shape.slice(1)]);
      if (isFit) return { dtype: data!.dtype, shape: data!.shape };
      throw new TypeError(
        `${formatShape(rows!.shape)} are not the rows ${formatShape(indices!.shape)} of ${formatShape(data!.shape)}`,
      );
    },
    emit: (onnx, value) => {
      const [data, indices, rows] = value.inputs;
      const column = onnx.temporary(value.name, 'column');
      onnx.node('Reshape', [indices!.name, onnx.integers([-1, 1])], [column]);
      onnx.node('ScatterND', [data!.name, column, rows!.name], [value.name]);
    },
    vjp: 'not differentiable',
    samples: [],
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
  /** `mask → int64 [axes, count]`: at which places it is true, in order (ONNX NonZero). */
  nonZero: {
    infer: ([mask], { count }) => ({ dtype: 'int64', shape: [mask!.shape.length, count] }),
    emit: (onnx, value) => onnx.node('NonZero', [value.inputs[0]!.name], [value.name]),
    vjp: 'not differentiable',
    samples: [],
  },
  /** `x […, n] → […, n]`: the sum of each element and all before it in its row (ONNX CumSum). */
  cumSum: {
    infer: sameType,
    emit: (onnx, value) =>
      onnx.node('CumSum', [value.inputs[0]!.name, onnx.filled('int64', [], -1)], [value.name]),
    vjp: 'not differentiable',
    samples: [],
  },
};
