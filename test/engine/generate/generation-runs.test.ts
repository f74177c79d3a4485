import { describe, expect, test } from 'vitest';
import { generationRuns, inChunks, RUN_SIZES } from '../../../engine/generate/generation-runs.ts';
import { Random } from '../../../engine/random.ts';

/** What runs take, as `first index: tokens of size`. */
function runs(count: number, logitRows: readonly number[], room = 10_000): string[] {
  return generationRuns(count, logitRows, room).map(
    ({ start, count: taken, size }) => `${start}: ${taken} of ${size}`,
  );
}

describe('tokens that graphs of fixed sizes read', () => {
  test('the token that was generated is a run of its own', () => {
    expect(runs(1, [0])).toEqual(['0: 1 of 1']);
  });

  test('whole chunks first, and what is left is filled up', () => {
    expect(runs(128, [127])).toEqual(['0: 128 of 128']);
    expect(runs(44, [43])).toEqual(['0: 32 of 32', '32: 12 of 32']);
    expect(runs(5, [])).toEqual(['0: 5 of 32']);
  });

  test('nothing is read in one run with a token whose logits are wanted before it', () => {
    expect(runs(6, [1, 5, 2])).toEqual(['0: 2 of 32', '2: 1 of 1', '3: 3 of 32']);
  });

  test('nothing is filled up beyond the last position of the model', () => {
    expect(runs(3, [2], 20)).toEqual(['0: 1 of 1', '1: 1 of 1', '2: 1 of 1']);
    expect(runs(34, [33], 40)).toEqual(['0: 32 of 32', '32: 1 of 1', '33: 1 of 1']);
  });

  test('every token is read once, in order, whatever is asked', () => {
    const random = new Random(3, 0);
    for (let i = 0; i < 200; i++) {
      const count = 1 + random.below(300);
      const rows = Array.from({ length: random.below(4) }, () => random.below(count));
      const room = count + random.below(60);
      let next = 0;
      for (const { start, count: taken, size } of generationRuns(count, rows, room)) {
        expect(start).toBe(next);
        expect(RUN_SIZES).toContain(size);
        expect(taken).toBeLessThanOrEqual(size);
        expect(start + size).toBeLessThanOrEqual(room);
        next += taken;
      }
      expect(next).toBe(count);
    }
  });
});

test.each([
  [0, []],
  [1, [1]],
  [127, [127]],
  [128, [128]],
  [300, [256, 44]],
  [700, [256, 256, 128, 60]],
])('a text of %i tokens is read in chunks of %j', (length, sizes) => {
  const text = Array.from({ length }, (_, i) => i);
  const chunks = inChunks(text);
  expect(chunks.map((chunk) => chunk.length)).toEqual(sizes);
  expect(chunks.flat()).toEqual(text);
});
