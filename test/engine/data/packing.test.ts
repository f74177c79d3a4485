import { expect, test } from 'vitest';
import { packExamples } from '../../../engine/data/packing.ts';
import { permutation, Random } from '../../../engine/random.ts';

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

test('the longest first, each where it leaves the least space', () => {
  const lengths = [3, 7, 5, 2, 6, 4, 1];
  expect(packExamples([0, 1, 2, 3, 4, 5, 6], lengths, 10)).toEqual([
    [1, 0],
    [4, 5],
    [2, 3, 6],
  ]);
});

test('an example that fills a row alone', () => {
  expect(packExamples([0, 1, 2], [10, 10, 1], 10)).toEqual([[0], [1], [2]]);
  expect(packExamples([], [], 10)).toEqual([]);
});

test('properties: every example once, no row too long, and no two rows would fit into one', () => {
  const random = new Random(3);
  for (let round = 0; round < 200; round++) {
    const capacity = 2 + random.below(300);
    const lengths = Array.from({ length: random.below(120) }, () => 1 + random.below(capacity));
    const packed = (order: Uint32Array): number[][] => packExamples(order, lengths, capacity);
    const rows = packed(permutation(lengths.length, random));
    expect(rows.flat().toSorted((a, b) => a - b)).toEqual(lengths.map((_, index) => index));
    const filled = rows.map((row) => sum(row.map((example) => lengths[example]!)));
    expect(Math.max(0, ...filled)).toBeLessThanOrEqual(capacity);
    const [emptiest, next] = filled.toSorted((a, b) => a - b);
    if (next !== undefined) expect(emptiest! + next).toBeGreaterThan(capacity);
    // The order decides which of several equally long examples goes where, and no more.
    const again = packed(permutation(lengths.length, random));
    const shapes = (each: number[][]): string[] =>
      each.map((row) => row.map((example) => lengths[example]!).join()).toSorted();
    expect(shapes(again)).toEqual(shapes(rows));
  }
});
