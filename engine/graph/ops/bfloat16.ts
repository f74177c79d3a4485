import { formatShape } from '../dim.ts';
import type { DType } from '../dtype.ts';
import type { Op, OpTable } from '../op.ts';
import type { Value, ValueType } from '../value.ts';

/** The ONNX domain of ops of our own (`engine/runtime/bfloat16-kernels.ts`). */
export const BFLOAT16_DOMAIN = 'lorafa';

/** Their names there. */
export const BFLOAT16_OPS = {
  toBfloat16: 'ToBfloat16',
  bfloat16Rest: 'Bfloat16Rest',
  matmulBfloat16: 'MatMulBfloat16',
} as const;

function requireMatrix(x: ValueType, dtype: DType): void {
  if (x.dtype !== dtype || x.shape.length !== 2) {
    throw new TypeError(`needs a matrix of ${dtype}, got ${x.dtype} ${formatShape(x.shape)}`);
  }
}

/** An op that goes from number to number; the kernel is made for the sizes that it is told. */
function ofMatrix<K extends 'toBfloat16' | 'bfloat16Rest'>(
  op: K,
  inputs: readonly DType[],
  output: DType,
): Op<K> {
  return {
    infer: (given: readonly ValueType[]) => {
      inputs.forEach((dtype, i) => {
        requireMatrix(given[i]!, dtype);
      });
      const [first, ...others] = given.map(({ shape }) => formatShape(shape));
      if (others.some((shape) => shape !== first)) {
        throw new TypeError(`the shapes ${[first, ...others].join(' and ')} differ`);
      }
      return { dtype: output, shape: given[0]!.shape };
    },
    emit: (onnx, { name, shape, inputs: values }) => {
      const [rows, columns] = shape.map(Number) as [number, number];
      const names = values.map((value) => value.name);
      onnx.node(BFLOAT16_OPS[op], names, [name], { rows, columns }, BFLOAT16_DOMAIN);
    },
    vjp: 'not differentiable',
    samples: [],
  };
}

/** Products of bfloat16 numbers, added up in float32. */
export const bfloat16Ops: Pick<OpTable, keyof typeof BFLOAT16_OPS> = {
  /** Rounds to nearest, ties to even: float32 `[rows, n]` → bfloat16 `[rows, n]`. */
  toBfloat16: ofMatrix('toBfloat16', ['float32'], 'bfloat16'),
  /** What rounding took: `x − rounded`, float32 `[rows, n]`. */
  bfloat16Rest: ofMatrix('bfloat16Rest', ['float32', 'bfloat16'], 'float32'),
  /**
   * `x · W`, or with `transB` `x · Wᵀ`, of bfloat16 numbers, in float32: `[rows, n] → [rows, columns]`.
   * The inputs are W and x, or W and two parts that x is the sum of.
   */
  matmulBfloat16: {
    infer: ([weight, ...parts], { transB }) => {
      for (const matrix of [weight!, ...parts]) requireMatrix(matrix, 'bfloat16');
      const [inner, columns] = transB ? weight!.shape.toReversed() : weight!.shape;
      for (const { shape } of parts) {
        if (shape[1] !== inner || shape[0] !== parts[0]!.shape[0]) {
          throw new TypeError(
            `${parts.map((part) => formatShape(part.shape)).join(' and ')} and ${formatShape(weight!.shape)} do not multiply`,
          );
        }
      }
      return { dtype: 'float32', shape: [parts[0]!.shape[0]!, columns!] };
    },
    emit: (onnx, { name, inputs, shape, attributes: { transB } }) => {
      const [, x] = inputs as readonly [Value, Value];
      const [rows, columns] = shape.map(Number) as [number, number];
      onnx.node(
        BFLOAT16_OPS.matmulBfloat16,
        inputs.map((input) => input.name),
        [name],
        {
          rows,
          columns,
          inner: Number(x.shape[1]),
          parts: inputs.length - 1,
          transB: Number(transB),
        },
        BFLOAT16_DOMAIN,
      );
    },
    vjp: 'not differentiable',
    samples: [],
  },
};
