import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { SessionClock, statusChange } from '../../../server/trainer/status-fold.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => void vi.useRealTimers());

test('the time left follows from the rate of this session, without its pauses', () => {
  const clock = new SessionClock();
  vi.advanceTimersByTime(5000);
  clock.start(100);
  expect(clock.secondsLeft(100, 200)).toBeNull();
  vi.advanceTimersByTime(20_000);
  expect(clock.secondsLeft(110, 200)).toBeCloseTo(180);
  clock.pause();
  vi.advanceTimersByTime(1_000_000);
  expect(clock.secondsLeft(110, 200)).toBeCloseTo(180);
  clock.resume();
  clock.resume();
  vi.advanceTimersByTime(20_000);
  expect(clock.secondsLeft(120, 200)).toBeCloseTo(160);
  expect(clock.secondsLeft(200, 200)).toBe(0);
});

test('a run has the loss of its evaluations, and not that of what it began with', () => {
  const evaluation = (step: number) =>
    statusChange({
      type: 'eval',
      step,
      epoch: 0,
      eval_loss: 7.5,
      eval_perplexity: Math.exp(7.5),
      eval_runtime: 1,
    });
  expect(evaluation(0)).toEqual({ progress: null });
  expect(evaluation(10)).toEqual({ progress: null, evalLoss: 7.5 });
});
