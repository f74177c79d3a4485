/**
 * Weights in eight bits: each row of a matrix `[rows, columns]` has a scale, its largest magnitude
 * over 127, and each element an integer from -127 to 127 times that scale. What rounding left of an
 * element, at most half a scale, may be kept in eight bits more: the residual codes, which count
 * 1/254 of the scale.
 */

/** The largest code. */
export const INT8_MAX = 127;

/** How many times smaller than the scale of the codes the scale of the residual codes is. */
export const RESIDUAL_RATIO = 254;

/** The scale of each row; NaN or infinity for one that holds such. */
export function int8Scales(weights: Float32Array, rows: number): Float32Array<ArrayBuffer> {
  const columns = weights.length / rows;
  return Float32Array.from({ length: rows }, (_, row) => {
    let largest = 0;
    for (let i = row * columns; i < (row + 1) * columns; i++) {
      largest = Math.max(largest, Math.abs(weights[i]!));
    }
    return largest / INT8_MAX;
  });
}

/** Codes of a matrix and of what they leave, row-major. */
export interface Int8Codes {
  readonly codes: Int8Array<ArrayBuffer>;
  readonly residual: Int8Array<ArrayBuffer>;
}

/** The codes of a matrix for the scales of its rows. */
export function int8Codes(weights: Float32Array, scales: Float32Array): Int8Codes {
  const columns = weights.length / scales.length;
  const codes = new Int8Array(weights.length);
  const residual = new Int8Array(weights.length);
  scales.forEach((scale, row) => {
    if (scale === 0) return;
    for (let i = row * columns; i < (row + 1) * columns; i++) {
      const exact = weights[i]! / scale;
      const code = Math.round(exact);
      codes[i] = code;
      residual[i] = Math.round((exact - code) * RESIDUAL_RATIO);
    }
  });
  return { codes, residual };
}

/** A matrix `[rows, columns]` as `[columns, rows]`. */
export function transposeInt8(
  matrix: Int8Array,
  rows: number,
  columns: number,
): Int8Array<ArrayBuffer> {
  const transposed = new Int8Array(matrix.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      transposed[column * rows + row] = matrix[row * columns + column]!;
    }
  }
  return transposed;
}
