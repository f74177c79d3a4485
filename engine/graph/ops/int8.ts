import { INT8_MAX, ZERO_POINT } from '../../formats/int8.ts';
import { formatShape } from '../dim.ts';
import type { DType } from '../dtype.ts';
import type { OpTable } from '../op.ts';
import type { Value, ValueType } from '../value.ts';

/** Far below every number that matters: what a row of zeros is divided by. */
const SMALLEST_MAGNITUDE = 1e-30;

function requireRows(x: ValueType, dtype: DType): void {
  if (x.dtype !== dtype || x.shape.length !== 2) {
    throw new TypeError(`needs ${dtype} rows, got ${x.dtype} ${formatShape(x.shape)}`);
  }
}

function requireScales(x: ValueType, scale: ValueType): void {
  if (scale.dtype !== 'float32' || scale.shape[0] !== x.shape[0] || scale.shape[1] !== 1) {
    throw new TypeError(
      `${formatShape(scale.shape)} is no float32 scale of each row of ${formatShape(x.shape)}`,
    );
  }
}

/**
 * Products in eight bits. Rows are quantized to uint8 around {@link ZERO_POINT}: ONNX Runtime's
 * kernels for int8 rows are many times slower.
 */
export const int8Ops: Pick<OpTable, 'rowScale' | 'quantizeRows' | 'matmulInteger'> = {
  /** The largest magnitude of each row over 127, `[rows, n] → [rows, 1]`. */
  rowScale: {
    infer: ([x]) => {
      requireRows(x!, 'float32');
      return { dtype: 'float32', shape: [x!.shape[0]!, 1] };
    },
    emit: (onnx, value) => {
      const { name } = value;
      const made = (
        opType: string,
        inputs: readonly string[],
        attributes: Readonly<Record<string, number>> = {},
      ): string => {
        const output = onnx.temporary(name, opType);
        onnx.node(opType, inputs, [output], attributes);
        return output;
      };
      const reduced = (opType: string): string =>
        made(opType, [value.inputs[0]!.name, onnx.integers([1])], { keepdims: 1 });
      // Far cheaper than the largest of Abs, which writes another tensor of the size of x.
      const magnitude = made('Max', [
        reduced('ReduceMax'),
        made('Neg', [reduced('ReduceMin')]),
        onnx.filled('float32', [], SMALLEST_MAGNITUDE),
      ]);
      // The largest of numbers passes over NaN, the sum does not: a row with NaN has the scale NaN.
      const nothing = made('Mul', [reduced('ReduceSum'), onnx.filled('float32', [], 0)]);
      const total = made('Add', [magnitude, nothing]);
      onnx.node('Div', [total, onnx.filled('float32', [], INT8_MAX)], [name]);
    },
    vjp: 'not differentiable',
    samples: [],
  },
  /** `round(x / scale)` of each row, counted from 128: `[rows, n], [rows, 1] → uint8 [rows, n]`. */
  quantizeRows: {
    infer: ([rows, scale]) => {
      requireRows(rows!, 'float32');
      requireScales(rows!, scale!);
      return { dtype: 'uint8', shape: rows!.shape };
    },
    emit: (onnx, { name, inputs }) => {
      const [rows, scale] = inputs as readonly [Value, Value];
      const scales = onnx.temporary(name, 'scales');
      onnx.node('Reshape', [scale.name, onnx.integers([-1])], [scales]);
      const zeros = onnx.filled('uint8', [Number(rows.shape[0])], ZERO_POINT);
      onnx.node('QuantizeLinear', [rows.name, scales, zeros], [name], { axis: 0 });
    },
    vjp: 'not differentiable',
    samples: [],
  },
  /**
   * `rows · codes` as if the rows' codes were counted from 0, each column times its scale
   * where there are any: `uint8 [rows, k], int8 [k, n], float32 [n]? → [rows, n]` (com.microsoft
   * MatMulIntegerToFloat, whose sums are exact in int32).
   */
  matmulInteger: {
    infer: ([rows, codes, scales]) => {
      requireRows(rows!, 'uint8');
      requireRows(codes!, 'int8');
      const [inner, columns] = codes!.shape as [ValueType['shape'][0], ValueType['shape'][0]];
      if (rows!.shape[1] !== inner) {
        throw new TypeError(
          `${formatShape(rows!.shape)} and ${formatShape(codes!.shape)} do not multiply`,
        );
      }
      if (scales !== undefined && (scales.shape.length !== 1 || scales.shape[0] !== columns)) {
        throw new TypeError(
          `${formatShape(scales.shape)} is no scale of each of ${columns} columns`,
        );
      }
      return { dtype: 'float32', shape: [rows!.shape[0]!, columns!] };
    },
    emit: (onnx, value) => {
      const [rows, codes, scales] = value.inputs.map(({ name }) => name);
      onnx.node(
        'MatMulIntegerToFloat',
        [
          rows!,
          codes!,
          onnx.filled('float32', [], 1),
          scales ?? onnx.filled('float32', [], 1),
          onnx.filled('uint8', [], ZERO_POINT),
        ],
        [value.name],
        {},
        'com.microsoft',
      );
    },
    vjp: 'not differentiable',
    samples: [],
  },
};
