/**
 * Matrices in eight bits: each row of `[rows, columns]` has a scale, its largest magnitude over 127,
 * and each element an integer from -127 to 127 times that scale.
 */

/** The largest code. */
export const INT8_MAX = 127;

/** What codes of activations, which are uint8, are counted from. */
export const ZERO_POINT = 128;

/** The scale of each row; not finite for one that holds NaN or infinity. */
export function int8Scales(values: Float32Array, rows: number): Float32Array<ArrayBuffer> {
  const columns = values.length / rows;
  const scales = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    let largest = 0;
    for (let i = row * columns; i < (row + 1) * columns; i++) {
      largest = Math.max(largest, Math.abs(values[i]!));
    }
    scales[row] = largest / INT8_MAX;
  }
  return scales;
}

/** The codes of a matrix `[rows, columns]` for the scales of its rows. */
export function int8Codes(values: Float32Array, scales: Float32Array): Int8Array<ArrayBuffer> {
  const columns = values.length / scales.length;
  const codes = new Int8Array(values.length);
  scales.forEach((scale, row) => {
    if (scale === 0) return;
    for (let i = row * columns; i < (row + 1) * columns; i++) {
      codes[i] = Math.round(values[i]! / scale);
    }
  });
  return codes;
}
