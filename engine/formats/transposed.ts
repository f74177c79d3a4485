/** A matrix `[rows, columns]` as `[columns, rows]`. */
export function transposed<T extends Float32Array | Int8Array | Uint16Array | Uint32Array>(
  matrix: T,
  rows: number,
): T {
  const columns = matrix.length / rows;
  const result = matrix.slice() as T;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      result[column * rows + row] = matrix[row * columns + column]!;
    }
  }
  return result;
}
