import type { GraphBuilder } from './builder.ts';
import type { Value } from './value.ts';

/** Rows `[rows, n]` in eight bits. */
export interface QuantizedRows {
  /** float32 `[rows, 1]` */
  readonly scale: Value;
  /** uint8 `[rows, n]` */
  readonly codes: Value;
}

/** A factor `[n, columns]` in eight bits. */
export interface QuantizedFactor {
  /** float32 `[columns]` */
  readonly scales: Value;
  /** int8 `[n, columns]` */
  readonly codes: Value;
}

/** Quantizes rows, each with a scale of its own. */
export function quantizeRows(builder: GraphBuilder, x: Value): QuantizedRows {
  const scale = builder.apply('rowScale', [x], {});
  return { scale, codes: builder.apply('quantizeRows', [x, scale], {}) };
}

/** `rows · factor`, `[rows, n] · [n, columns] → [rows, columns]`, in float32 but for what the codes leave. */
export function int8Product(
  builder: GraphBuilder,
  rows: QuantizedRows,
  factor: QuantizedFactor,
): Value {
  const product = builder.apply('matmulInteger', [rows.codes, factor.codes, factor.scales], {});
  return builder.mul(product, rows.scale);
}
