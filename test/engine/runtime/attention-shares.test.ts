import { expect, test } from 'vitest';
import {
  type AttentionSizes,
  attentionBlocks,
  FUSED_BLOCK,
} from '../../../engine/graph/ops/attention.ts';
import {
  type AttentionShare,
  attentionShares,
  usefulThreads,
} from '../../../engine/runtime/attention-shares.ts';

function sizesOf(rows: number, length: number, window: number | null = null): AttentionSizes {
  return {
    rows,
    length,
    window,
    numHeads: 9,
    numKeyValueHeads: 3,
    headDim: 64,
    products: 'float32',
  };
}

function scores(share: AttentionShare): number {
  return share
    .flatMap(({ blocks }) => blocks)
    .reduce((sum, { start, end, firstKey }) => sum + (end - start) * (end - firstKey), 0);
}

test.each([
  [1, 2048, null, 1],
  [1, 2048, null, 2],
  [1, 2048, 100, 3],
  [3, 290, null, 2],
  [2, 64, null, 5],
  [1, 1, 1, 2],
])(
  '%i rows of %i tokens with window %s: %i threads have every block once',
  (rows, length, window, threads) => {
    const shares = attentionShares(sizesOf(rows, length, window), threads);
    expect(shares).toHaveLength(threads);
    const blocks = attentionBlocks(length, window, FUSED_BLOCK);
    for (let row = 0; row < rows; row++) {
      const parts = shares.flat().filter((part) => part.row === row);
      const had = parts.flatMap((part) => part.blocks).sort((a, b) => a.start - b.start);
      expect(had).toEqual(blocks);
      for (const part of parts) {
        expect(part.blocks).toEqual([...part.blocks].sort((a, b) => a.start - b.start));
        expect(part.partialSum === undefined).toBe(parts.length === 1);
      }
    }
    const numbers = shares.flat().flatMap(({ partialSum }) => partialSum ?? []);
    expect(new Set(numbers).size).toBe(numbers.length);
  },
);

test.each([
  [1, 2048, 2],
  [1, 2048, 3],
  [1, 512, 2],
  [5, 256, 2],
])('%i rows of %i tokens: %i threads have about as much to do', (rows, length, threads) => {
  const work = attentionShares(sizesOf(rows, length), threads).map(scores);
  expect(Math.max(...work) / (work.reduce((a, b) => a + b) / threads)).toBeLessThan(1.07);
});

test('a row has one thread where there are rows for all', () => {
  const shares = attentionShares(sizesOf(8, 256), 2);
  expect(shares.map((share) => share.map(({ row }) => row))).toEqual([
    [0, 1, 2, 3],
    [4, 5, 6, 7],
  ]);
  expect(shares.flat().every(({ partialSum }) => partialSum === undefined)).toBe(true);
});

test.each([
  // One block of one row cannot be divided.
  [1, 64, 64, 1],
  [3, 64, 64, 3],
  [2, 128, 2, 2],
  // There are eight blocks.
  [1, 512, 64, 8],
  [1, 512, 2, 2],
  // Work for all.
  [8, 4096, 64, 64],
])('%i rows of %i tokens have use for %i threads: %i', (rows, length, threads, useful) => {
  const sizes = sizesOf(rows, length);
  expect(usefulThreads(sizes, threads)).toBe(useful);
  const largest = (count: number) => Math.max(...attentionShares(sizes, count).map(scores));
  expect(largest(useful)).toBe(largest(threads));
});
