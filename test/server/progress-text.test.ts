import { expect, test } from 'vitest';
import { progressText } from '../../server/progress-text.ts';
import { statusChange } from '../../server/trainer/status-fold.ts';

test.each([
  [{ done: 3, total: 4 }, 'task'],
  [{ done: 0, total: 2 ** 34, rate: 0 }, 'task: 0 KiB of 16.0 GiB'],
  [
    { done: 2 ** 30, total: 2 ** 34, rate: 2 ** 26 },
    'task: 1.0 GiB of 16.0 GiB, 64 MiB/s, 4 min 00 s left',
  ],
  [{ done: 2 ** 34, total: 2 ** 34, rate: 2 ** 26 }, 'task: 16.0 GiB of 16.0 GiB'],
])('%j', (state, text) => {
  expect(progressText({ task: 'task', ...state })).toBe(text);
});

test('a status says of a download how far it is', () => {
  const event = { type: 'progress', task: 'downloading a/b', done: 1024, total: 2048 } as const;
  expect(statusChange(event)).toEqual({
    progress: { task: 'downloading a/b', done: 1024, total: 2048 },
  });
  expect(statusChange({ ...event, rate: 1024 }).progress?.download).toBe(
    '1 KiB of 2 KiB, 1 KiB/s, 1 s left',
  );
});
