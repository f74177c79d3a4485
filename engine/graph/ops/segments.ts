import type { OnnxEmitter } from '../../onnx/emitter.ts';
import { formatShape } from '../dim.ts';
import type { OpTable, SampleInput } from '../op.ts';
import type { Value } from '../value.ts';
import { commonDtype } from './shape-rules.ts';

/** Where a segment begins and where it ends, as int64 `[1]`; nodes for a value. */
function bounds(onnx: OnnxEmitter, { name }: Value, ends: Value, index: number): [string, string] {
  const endOf = (segment: number, role: string): string => {
    if (segment < 0) return onnx.integers([0]);
    const end = onnx.temporary(name, role);
    onnx.node(
      'Slice',
      [ends.name, ...[segment, segment + 1].map((n) => onnx.integers([n]))],
      [end],
    );
    return end;
  };
  return [endOf(index - 1, 'start'), endOf(index, 'end')];
}

/** The ends of segments of which only the first has rows. */
function lastRow(rows: number, segments: number): SampleInput {
  return { shape: [segments], dtype: 'int64', from: rows, to: rows };
}

/**
 * Rows in segments that follow each other, as many as a run makes of them. `ends [segments]` has the
 * number of the row after each; the last is that of all rows.
 */
export const segmentOps: Pick<OpTable, 'segment' | 'padSegment' | 'joinSegments'> = {
  /** One segment: `rows [n, …]`, `ends → [count, …]`. */
  segment: {
    infer: ([rows], { count }) => ({
      dtype: rows!.dtype,
      shape: [count, ...rows!.shape.slice(1)],
    }),
    emit: (onnx, value) => {
      const [rows, ends] = value.inputs;
      const [start, end] = bounds(onnx, value, ends!, value.attributes.index);
      onnx.node('Slice', [rows!.name, start, end, onnx.integers([0])], [value.name]);
      onnx.named(value);
    },
    vjp: [
      ({ builder, input, value, cotangent }) =>
        builder.apply('padSegment', [cotangent, input(1)], {
          index: value.attributes.index,
          rows: input(0).shape[0]!,
        }),
      null,
    ],
    samples: [
      { inputs: [{ shape: [2, 3] }, lastRow(2, 1)], attributes: { index: 0, count: 2 } },
      { inputs: [{ shape: [2, 3] }, lastRow(2, 2)], attributes: { index: 0, count: 2 } },
      { inputs: [{ shape: [1] }, lastRow(1, 1)], attributes: { index: 0, count: 1 } },
    ],
  },
  /** Zeros where the other segments are: `segment [count, …]`, `ends → [rows, …]`. */
  padSegment: {
    infer: ([segment], { rows }) => ({
      dtype: segment!.dtype,
      shape: [rows, ...segment!.shape.slice(1)],
    }),
    emit: (onnx, value) => {
      const [segment, ends] = value.inputs;
      const { index, rows } = value.attributes;
      const [start, end] = bounds(onnx, value, ends!, index);
      const [after, pads] = ['after', 'pads'].map((role) => onnx.temporary(value.name, role));
      onnx.node('Sub', [onnx.integers([Number(rows)]), end], [after!]);
      onnx.node('Concat', [start, after!], [pads!], { axis: 0 });
      onnx.node('Pad', [segment!.name, pads!, '', onnx.integers([0])], [value.name]);
    },
    vjp: 'not differentiable',
    samples: [],
  },
  /** All segments in their order: `ends`, `segments [count, …] → [rows, …]`. */
  joinSegments: {
    infer: ([ends, ...segments], { rows }) => {
      if (segments.length !== ends!.shape[0]) {
        throw new TypeError(
          `${segments.length} segments do not have the ${formatShape(ends!.shape)} ends`,
        );
      }
      return { dtype: commonDtype(segments), shape: [rows, ...segments[0]!.shape.slice(1)] };
    },
    emit: (onnx, value) =>
      onnx.node(
        'Concat',
        value.inputs.slice(1).map(({ name }) => name),
        [value.name],
        { axis: 0 },
      ),
    vjp: ({ builder, input, cotangent }, index) =>
      builder.segment(cotangent, input(0), index - 1, input(index).shape[0]!),
    samples: [
      { inputs: [lastRow(2, 1), { shape: [2, 3] }], attributes: { rows: 2 } },
      { inputs: [lastRow(2, 2), { shape: [2, 3] }, { shape: [0, 3] }], attributes: { rows: 2 } },
      { inputs: [lastRow(1, 1), { shape: [1] }], attributes: { rows: 1 } },
    ],
  },
};
