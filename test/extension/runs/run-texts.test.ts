import { expect, test, vi } from 'vitest';
import { runIcon } from '../../../extension/runs/run-icons.ts';
import {
  describeNoResume,
  describeRun,
  formatDuration,
  mostInteresting,
  reasonOf,
  standingLabel,
  statusBarIcon,
  statusBarText,
} from '../../../extension/runs/run-texts.ts';
import type { RunStatus } from '../../../server/trainer/run-status.ts';
import { runSummary } from '../../support/run-summary.ts';

vi.mock('vscode', () => import('../../support/vscode-window.ts'));

const running = runSummary({
  state: 'running',
  step: 349,
  maxSteps: 1000,
  loss: 1.23449,
  etaSeconds: 733,
});

test('the status bar tells share, loss and time left of the run that goes on', () => {
  expect(statusBarText([running])).toBe('LoRA-FA 34% · loss 1.234 · 12 min left');
  expect(statusBarIcon(running)).toBe('sync~spin');
});

test.each(['cpu', 'cuda:1', 'webgpu', '2 × cuda (Accelerate)'])(
  'the status bar tells that %s computes, and nothing of it before that is known or when it is over',
  (device) => {
    const on = (run: Partial<RunStatus>) =>
      statusBarText([runSummary({ state: 'running', step: 1, maxSteps: 4, ...run })]);
    expect(on({ device })).toBe(`LoRA-FA 25% · ${device}`);
    expect(on({ device: null })).toBe('LoRA-FA 25%');
    expect(on({ device, state: 'completed' })).toBe('LoRA-FA');
  },
);

test('the status bar is empty without runs, and plain while none goes on', () => {
  expect(statusBarText([])).toBeUndefined();
  const done = runSummary({ state: 'completed' });
  expect(statusBarText([done])).toBe('LoRA-FA');
  expect(statusBarIcon(done)).toBeUndefined();
});

test('of several live runs the one that computes is shown, the others are counted', () => {
  const queued = runSummary({ state: 'queued' }, { folder: '/runs/second' });
  const paused = runSummary({ state: 'paused' }, { folder: '/runs/third' });
  const done = runSummary({ state: 'completed' }, { folder: '/runs/old' });
  const runs = [queued, running, paused, done];
  expect(mostInteresting(runs)).toBe(running);
  expect(statusBarText(runs)).toBe('LoRA-FA 34% · loss 1.234 · 12 min left +2');
  expect(statusBarText([paused, done])).toBe('LoRA-FA Paused · 0%');
  expect(statusBarIcon(paused)).toBe('debug-pause');
  expect(statusBarText([queued])).toBe('LoRA-FA Queued');
  expect(statusBarIcon(queued)).toBe('clock');
});

test('each state has its words', () => {
  const describe = (status: Parameters<typeof runSummary>[0]): string =>
    describeRun(runSummary({ ...status }));
  expect(
    describe({ state: 'preparing', progress: { task: 'tokenizing', done: 1, total: 3 } }),
  ).toBe('tokenizing 33%');
  expect(describe({ state: 'preparing' })).toBe('Preparing');
  expect(describe({ state: 'paused', step: 1, maxSteps: 2, loss: 2 })).toBe(
    'Paused · 50% · loss 2.000',
  );
  expect(describe({ state: 'completed', loss: 0.87123 })).toBe('Completed · loss 0.871');
  expect(describe({ state: 'completed', loss: 0.9, step: 10, maxSteps: 10, resultStep: 7 })).toBe(
    'Completed · model of step 7 · loss 0.900',
  );
  expect(describe({ state: 'running', step: 999, maxSteps: 1000 })).toBe('99%');
});

test('a run of which nothing new is heard is not said to go on, nor how long it takes', () => {
  const unheard = 'The process that leads this run (7) does not answer; let it go on.';
  const halted = { ...running, unheard };
  expect(statusBarText([halted])).toBe('LoRA-FA No news · 34% · loss 1.234');
  expect(statusBarIcon(halted)).toBe('warning');
  expect(standingLabel(halted)).toBe('No news');
  expect(runIcon(halted)).toBe('warning');
  expect(reasonOf(halted)).toBe(unheard);
});

test('damage in the folder of a run hides neither how far it is nor why it ended', () => {
  const problem = 'events.jsonl line 9 is damaged and was left out.';
  const damaged = { ...running, problem };
  expect(statusBarText([damaged])).toBe('LoRA-FA 34% · loss 1.234 · 12 min left');
  expect(reasonOf(damaged)).toBe(problem);
  const failed = (message: string) =>
    reasonOf(runSummary({ state: 'failed', reason: { code: 'x', message } }, { problem }));
  expect(failed('The disk is full.')).toBe(`The disk is full. ${problem}`);
  expect(failed(`Nothing tells (${problem}); start it again.`)).toBe(
    `Nothing tells (${problem}); start it again.`,
  );
});

test('what keeps a run from being resumed is said, with what one can do instead', () => {
  const whole = { state: 'completed', step: 9, maxSteps: 9 } as const;
  const why = (...run: Parameters<typeof runSummary>) => describeNoResume(runSummary(...run));
  expect(why(whole, { adapter: '/runs/first' })).toBe(
    'This run did all of its steps: there is nothing to resume. Train Further begins a new run with what it has learned.',
  );
  // A fine-tuned model has no adapter.
  expect(why(whole)).toBe('This run did all of its steps: there is nothing to resume.');
  expect(why({ state: 'paused' })).toMatch(/^Stop the run to resume from one/);
  expect(why({ ...whole, step: 5 })).toBeUndefined();
  expect(why({ state: 'failed' })).toBeUndefined();
});

test.each([
  [0, '1 s'],
  [40.2, '40 s'],
  [59.6, '1 min'],
  [733, '12 min'],
  [3599, '1 h 00 min'],
  [11_100, '3 h 05 min'],
  [100_000, '1 d 3 h'],
])('%d seconds are %s', (seconds, text) => {
  expect(formatDuration(seconds)).toBe(text);
});
