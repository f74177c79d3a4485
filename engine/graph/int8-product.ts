import { RESIDUAL_RATIO } from '../formats/int8.ts';
import type { GraphBuilder } from './builder.ts';
import type { Value } from './value.ts';

/** Rows `[rows, n]` in eight bits, or in sixteen: in eight, and eight more of what those leave. */
export interface QuantizedRows {
  /** float32 `[rows, 1]` */
  readonly scale: Value;
  /** uint8 `[rows, n]` */
  readonly codes: Value;
  /** uint8 `[rows, n]`, which count 1/254 of the scale */
  readonly residual?: Value;
}

/** A factor `[n, columns]` in eight bits, or in sixteen. */
export interface QuantizedFactor {
  /** float32 `[columns]` */
  readonly scales: Value;
  /** int8 `[n, columns]` */
  readonly codes: Value;
  /** int8 `[n, columns]`, which count 1/254 of the scales */
  readonly residual?: Value;
}

/** Quantizes rows, each with a scale of its own. */
export function quantizeRows(builder: GraphBuilder, x: Value, isSplit: boolean): QuantizedRows {
  const scale = builder.apply('rowScale', [x], {});
  const codes = builder.apply('quantizeRows', [x, scale], {});
  if (!isSplit) return { scale, codes };
  const rest = builder.sub(x, builder.apply('dequantizeRows', [codes, scale], {}));
  // At most half a scale is left, which is 127 of the smaller ones.
  const smaller = builder.mul(scale, builder.scalar(1 / RESIDUAL_RATIO));
  return { scale, codes, residual: builder.apply('quantizeRows', [rest, smaller], {}) };
}

/**
 * `rows · factor`, `[rows, n] · [n, columns] → [rows, columns]`, in float32 but for what the codes
 * leave. Of the four products of split rows and a split factor, that of both residuals is left out:
 * it is as small as what rounding the residuals leaves, and costs as much as each of the others.
 */
export function int8Product(
  builder: GraphBuilder,
  rows: QuantizedRows,
  factor: QuantizedFactor,
): Value {
  const product = (codes: Value, factorCodes: Value, scale: number): Value =>
    builder.apply('matmulInteger', [codes, factorCodes, factor.scales], { scale });
  let sum = product(rows.codes, factor.codes, 1);
  if (rows.residual !== undefined) {
    sum = builder.add(sum, product(rows.residual, factor.codes, 1 / RESIDUAL_RATIO));
  }
  if (factor.residual !== undefined) {
    sum = builder.add(sum, product(rows.codes, factor.residual, 1 / RESIDUAL_RATIO));
  }
  return builder.mul(sum, rows.scale);
}
