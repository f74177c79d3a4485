import { expect, onTestFinished, test, vi } from 'vitest';
import { silenceOf, TrainerPulse } from '../../../server/runs/trainer-pulse.ts';
import { initialStatus, type RunStatus } from '../../../server/trainer/run-status.ts';

const HEARD = '2026-01-01T10:00:00.000Z';

/** A run whose steps take four seconds, and that was last heard of at ten. */
function running(change: Partial<RunStatus> = {}): RunStatus {
  const status = initialStatus('running', HEARD);
  return { ...status, step: 10, maxSteps: 20, etaSeconds: 40, heard: HEARD, ...change };
}

function secondsLater(seconds: number): number {
  return Date.parse(HEARD) + seconds * 1000;
}

test('a computation is silent when it was not heard of for many steps, and for a minute', () => {
  expect(silenceOf(running(), secondsLater(79))).toBeNull();
  expect(silenceOf(running(), secondsLater(185))).toBe(
    'Nothing was heard of the computation for more than 3 min 05 s, where a step takes about 4 s: it may be halted or hang; wait, or discard what it does now and resume the run from its last checkpoint.',
  );
  const quick = running({ etaSeconds: 0.1 });
  expect(silenceOf(quick, secondsLater(59))).toBeNull();
  expect(silenceOf(quick, secondsLater(61))).toContain('a step takes about 1 s');
});

test.each<[string, Partial<RunStatus>]>([
  ['paused', { state: 'paused' }],
  ['being prepared', { state: 'preparing' }],
  ['in its first step', { etaSeconds: null }],
  ['over', { state: 'failed' }],
])('a run that is %s may be silent', (_name, change) => {
  expect(silenceOf(running(change), secondsLater(10_000))).toBeNull();
});

test('a trainer that does not answer is told once, and again when it does', async () => {
  vi.useFakeTimers({ now: secondsLater(1) });
  onTestFinished(() => void vi.useRealTimers());
  const told: (string | null)[] = [];
  let isHalted = false;
  const pulse = new TrainerPulse({
    pid: 123,
    ask: () => (isHalted ? Promise.reject(new Error('no answer')) : Promise.resolve(running())),
    intervalMs: 100,
    onChanged: () => told.push(pulse.unheard),
  });
  await vi.advanceTimersByTimeAsync(250);
  expect(told).toEqual([]);
  isHalted = true;
  await vi.advanceTimersByTimeAsync(250);
  const halted = expect.stringMatching(/^The process that leads this run \(123\) does not answer/);
  expect(told).toEqual([halted]);
  isHalted = false;
  await vi.advanceTimersByTimeAsync(250);
  expect(told).toEqual([halted, null]);
  pulse.end();
  isHalted = true;
  await vi.advanceTimersByTimeAsync(250);
  expect(told).toEqual([halted, null]);
});
