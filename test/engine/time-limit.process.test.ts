import { describe, expect, test } from 'vitest';
import { type TimeLimit, TimeLimitError, withinTime } from '../../engine/time-limit.ts';

const LIMIT: TimeLimit = {
  seconds: 0.2,
  code: 'model.tokenizer',
  subject: 'The tokenizer of tiny',
  work: 'rows.jsonl:3',
  advice: 'download it again',
  file: 'tiny',
};

describe('what does not come to an end is ended', () => {
  test.each<[string, () => unknown]>([
    [
      'a loop',
      () => {
        for (;;);
      },
    ],
    ['an expression that backtracks', () => /^(a+)+$/u.test(`${'a'.repeat(60)}b`)],
    [
      'a loop that catches everything',
      () => {
        for (;;) {
          try {
            for (;;);
          } catch {
            // And goes on.
          }
        }
      },
    ],
    ['a recursion that branches', () => fibonacci(200)],
  ])('%s', (_name, task) => {
    expect(() => withinTime(LIMIT, task)).toThrow(
      expect.objectContaining({
        code: 'model.tokenizer',
        message:
          'The tokenizer of tiny took more than 1 seconds for rows.jsonl:3 and was ended; download it again.',
        location: { file: 'tiny' },
      }),
    );
    expect(withinTime(LIMIT, () => 1)).toBe(1);
  });
});

test('results and errors of a task are its own', () => {
  expect(withinTime(LIMIT, () => 'done')).toBe('done');
  expect(withinTime(LIMIT, () => undefined)).toBeUndefined();
  const error = new TypeError('no');
  expect(() =>
    withinTime(LIMIT, () => {
      throw error;
    }),
  ).toThrow(error);
});

test('inside of another task its limit counts', () => {
  const inner = { ...LIMIT, seconds: 1e6 };
  const endless = () =>
    withinTime(inner, () => {
      for (;;);
    });
  expect(() => withinTime(LIMIT, endless)).toThrow(TimeLimitError);
});

function fibonacci(n: number): number {
  return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}
