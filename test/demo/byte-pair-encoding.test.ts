import { expect, test } from 'vitest';
import { learnMerges } from '../../media/demo/make-base/byte-pair-encoding.ts';

test('the most frequent neighbours become a token first', () => {
  // The example of arXiv 1508.07909, without its end-of-word mark.
  const words = new Map([
    ['low', 5],
    ['lower', 2],
    ['newest', 6],
    ['widest', 3],
  ]);
  expect(learnMerges(words, 4)).toEqual([
    ['e', 's'],
    ['es', 't'],
    ['l', 'o'],
    ['lo', 'w'],
  ]);
});

test('every place of a pair is merged, from left to right', () => {
  const merges = learnMerges(new Map([['aaaaa', 1]]), 2);
  expect(merges).toEqual([
    ['a', 'a'],
    ['aa', 'a'],
  ]);
});

test('learning ends when no pair is left', () => {
  expect(learnMerges(new Map([['abc', 1]]), 10)).toHaveLength(2);
  expect(learnMerges(new Map(), 10)).toEqual([]);
});

test('bytes are written in the byte-level alphabet', () => {
  expect(learnMerges(new Map([[' é', 1]]), 2)).toEqual([
    ['Ã', '©'],
    ['Ġ', 'Ã©'],
  ]);
});
