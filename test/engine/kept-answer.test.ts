import { expect, test } from 'vitest';
import { keptAnswer } from '../../engine/kept-answer.ts';

test('a failure says nothing of the next try, and an answer is kept', async () => {
  let asked = 0;
  const answer = keptAnswer(async () => {
    asked++;
    if (asked === 1) throw new Error('no memory');
    return asked;
  });
  await expect(answer()).rejects.toThrow('no memory');
  expect(await Promise.all([answer(), answer()])).toEqual([2, 2]);
  expect(await answer()).toBe(2);
  expect(asked).toBe(2);
});
