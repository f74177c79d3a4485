import { LorafaError } from '../errors.ts';

/**
 * Inverse of a symmetric positive definite matrix by Cholesky decomposition, in float64.
 *
 * @param matrix row-major `[n, n]`; only the lower triangle is read
 * @throws LorafaError `adapter.corrupt` when the matrix is not positive definite
 */
export function invertPositiveDefinite(matrix: Float64Array, n: number): Float64Array {
  const lower = cholesky(matrix, n);
  const inverseLower = invertLower(lower, n);
  // (L Lᵀ)⁻¹ = L⁻ᵀ L⁻¹
  const inverse = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let k = i; k < n; k++) sum += inverseLower[k * n + i]! * inverseLower[k * n + j]!;
      inverse[i * n + j] = sum;
      inverse[j * n + i] = sum;
    }
  }
  return inverse;
}

function cholesky(matrix: Float64Array, n: number): Float64Array {
  const lower = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = matrix[i * n + j]!;
      for (let k = 0; k < j; k++) sum -= lower[i * n + k]! * lower[j * n + k]!;
      if (i !== j) {
        lower[i * n + j] = sum / lower[j * n + j]!;
      } else if (sum > 0) {
        lower[i * n + i] = Math.sqrt(sum);
      } else {
        throw new LorafaError(
          'adapter.corrupt',
          'The A matrix of an adapter holds NaN or numbers too large to invert A Aᵀ; start from another adapter.',
        );
      }
    }
  }
  return lower;
}

function invertLower(lower: Float64Array, n: number): Float64Array {
  const inverse = new Float64Array(n * n);
  for (let column = 0; column < n; column++) {
    inverse[column * n + column] = 1 / lower[column * n + column]!;
    for (let row = column + 1; row < n; row++) {
      let sum = 0;
      for (let k = column; k < row; k++) sum -= lower[row * n + k]! * inverse[k * n + column]!;
      inverse[row * n + column] = sum / lower[row * n + row]!;
    }
  }
  return inverse;
}
