/**
 * Rotations that spread a large number over its neighbours: blocks of a row are multiplied with a
 * Hadamard matrix over the root of its size, which is symmetric and its own inverse. Both factors of
 * a product may be rotated along what is summed over without changing it, `(x H)(W H)ᵀ = x Wᵀ`, and
 * then hold no outliers that spoil the scale of what is quantized (QuaRot, arXiv 2404.00456).
 */

/**
 * The sizes of blocks, largest first. Their roots are powers of two, so that the division by them is
 * exact.
 */
const BLOCKS = [64, 16, 4, 1] as const;

/** The size of the blocks that rows of so many columns are cut into; 1 leaves them as they are. */
export function hadamardBlock(columns: number): number {
  return BLOCKS.find((block) => columns % block === 0)!;
}

/** Rotates the rows of a matrix in place (fast Walsh-Hadamard transform). */
export function rotateRows(values: Float32Array, columns: number): void {
  const block = hadamardBlock(columns);
  const root = Math.sqrt(block);
  for (let start = 0; start < values.length; start += block) {
    for (let half = 1; half < block; half *= 2) {
      for (let pair = start; pair < start + block; pair += 2 * half) {
        for (let i = pair; i < pair + half; i++) {
          const a = values[i]!;
          const b = values[i + half]!;
          values[i] = a + b;
          values[i + half] = a - b;
        }
      }
    }
    for (let i = start; i < start + block; i++) values[i] = values[i]! / root;
  }
}

/** The matrix that {@link rotateRows} multiplies each block with, `[size, size]`, row-major. */
export function hadamardMatrix(size: number): number[] {
  const matrix = new Float32Array(size * size);
  for (let i = 0; i < size; i++) matrix[i * (size + 1)] = 1;
  rotateRows(matrix, size);
  return [...matrix];
}
