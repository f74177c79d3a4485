import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { throttle } from '../../server/throttle.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('the first call acts at once, those that follow act together at the end of the time', () => {
  const action = vi.fn();
  const throttled = throttle(500, action);
  throttled();
  expect(action).toHaveBeenCalledTimes(1);
  throttled();
  throttled();
  expect(action).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(500);
  expect(action).toHaveBeenCalledTimes(2);
  vi.advanceTimersByTime(5000);
  expect(action).toHaveBeenCalledTimes(2);
  throttled();
  expect(action).toHaveBeenCalledTimes(3);
});
