import { expect, test } from 'vitest';
import { hadamardBlock, hadamardMatrix, rotateRows } from '../../../engine/formats/hadamard.ts';

test.each([
  [576, 64],
  [192, 64],
  [48, 16],
  [36, 4],
  [33, 1],
  [2, 1],
])('rows of %d columns are rotated in blocks of %d', (columns, block) => {
  expect(hadamardBlock(columns)).toBe(block);
  const matrix = hadamardMatrix(block);
  const row = Float32Array.from({ length: columns }, (_, i) => Math.sin(i + 1));
  const rotated = row.slice();
  rotateRows(rotated, columns);
  rotated.forEach((number, i) => {
    const start = i - (i % block);
    let expected = 0;
    for (let k = 0; k < block; k++) expected += row[start + k]! * matrix[k * block + (i % block)]!;
    expect(number).toBeCloseTo(expected, 5);
  });
});

test('a rotation is its own inverse and keeps lengths', () => {
  const rows = Float32Array.from(
    { length: 3 * 192 },
    (_, i) => 1 + Math.round(50 + 50 * Math.sin(i)),
  );
  const rotated = rows.slice();
  rotateRows(rotated, 192);
  expect(Math.hypot(...rotated)).toBeCloseTo(Math.hypot(...rows), 2);
  expect(rotated).not.toEqual(rows);
  rotateRows(rotated, 192);
  // Exactly: the roots of the sizes are powers of two.
  expect(rotated).toEqual(rows);
});

test('one large number is spread over its block', () => {
  const row = new Float32Array(128);
  row[70] = 800;
  rotateRows(row, 128);
  expect(row.subarray(0, 64).every((number) => number === 0)).toBe(true);
  expect(row.subarray(64).every((number) => Math.abs(number) === 100)).toBe(true);
});
