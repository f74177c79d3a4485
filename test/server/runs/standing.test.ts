import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { RunSummary } from '../../../server/protocol/runs.ts';
import { RunSessions } from '../../../server/runs/run-sessions.ts';
import { readRunFolder } from '../../../server/runs/run-summary.ts';
import { initialStatus, type RunState } from '../../../server/trainer/run-status.ts';
import { completedEvent, startedEvent, stepEvent } from '../../support/journal-events.ts';
import { storeState } from '../../support/state-file.ts';
import { tempFolder } from '../../support/temp-folder.ts';

/** A moment of the day of the run. */
const at = (minute: number): string => new Date(Date.UTC(2026, 0, 1, 10, minute)).toISOString();

const step = (number: number, loss: number) => stepEvent({ step: number, loss });
const completed = completedEvent();
const failed = { type: 'failed', code: 'output.not_writable', message: 'The disk is full.' };
const stopped = { type: 'stopped', step: 4, checkpoint_dir: '/run/checkpoint-4' };
const cancelled = { type: 'cancelled', step: 4, checkpoint_dir: null };
const resumed = startedEvent({ resumedAt: 4 });

/** The run of a journal whose entries are a minute apart, and of a trainer's last state. */
async function runOf(
  entries: readonly object[],
  state?: { readonly state: RunState; readonly queued: number },
): Promise<RunSummary> {
  const folder = await tempFolder();
  const lines = entries.map((entry, minute) => JSON.stringify({ time: at(minute), ...entry }));
  await writeFile(path.join(folder, 'events.jsonl'), `${lines.join('\n')}\n`);
  if (state !== undefined) {
    const reason = { code: 'model.not_found', message: 'The model is gone.' };
    await storeState(folder, at(state.queued + 1), {
      queued: at(state.queued),
      status: { ...initialStatus(state.state, at(state.queued + 1)), reason },
    });
  }
  return (await readRunFolder(folder))!.summary;
}

const whole = [startedEvent(), step(9, 0.4), completed];
const half = [startedEvent(), step(4, 0.6), stopped];

test.each<[string, object[], Parameters<typeof runOf>[1], object]>([
  ['a resume that was refused', whole, { state: 'failed', queued: 20 }, { state: 'completed' }],
  ['one that was given up in the queue', whole, { state: 'cancelled', queued: 20 }, {}],
  ['one whose process was killed at once', whole, { state: 'preparing', queued: 20 }, {}],
  ['one that failed at its first step', [...whole, resumed, failed], undefined, {}],
  ['one that failed on its way', [...whole, resumed, step(6, 0.7), failed], undefined, {}],
  [
    'one that was cancelled on its way',
    [...whole, resumed, step(6, 0.7), cancelled],
    undefined,
    {},
  ],
])('a result outlives %s', async (_name, entries, state) => {
  const run = await runOf(entries, state);
  expect(run.status).toMatchObject({ state: 'completed', step: 9, loss: 0.4, reason: null });
  expect(run.attempt).not.toBeNull();
  expect(run.attempt?.state).not.toBe('completed');
});

test('what was refused is told beside it', async () => {
  expect((await runOf(half, { state: 'failed', queued: 20 })).attempt).toEqual({
    state: 'failed',
    since: at(21),
    reason: { code: 'model.not_found', message: 'The model is gone.' },
  });
});

test.each<[string, object[], Parameters<typeof runOf>[1], object]>([
  ['stopped, then refused', half, { state: 'failed', queued: 20 }, { state: 'stopped', loss: 0.6 }],
  ['stopped, then without a step', [...half, resumed, failed], undefined, { state: 'stopped' }],
  ['stopped, then further', [...half, resumed, step(6, 0.5), failed], undefined, { step: 6 }],
  ['refused twice', [], { state: 'failed', queued: 20 }, { state: 'failed' }],
  ['done again', [...half, resumed, step(9, 0.3), completed], undefined, { loss: 0.3, step: 9 }],
  [
    'a result, then further and saved',
    [...whole, resumed, step(6, 0.5), { ...stopped, step: 6 }],
    undefined,
    { state: 'stopped', step: 6 },
  ],
  [
    'finished after it was stopped',
    [...half, { ...completed, steps: 3, loss: 0.7 }],
    { state: 'stopped', queued: -1 },
    { state: 'completed', step: 3, loss: 0.7 },
  ],
])('%s: the session that came to something counts', async (_name, entries, state, status) => {
  expect((await runOf(entries, state)).status).toMatchObject(status);
});

test('what a run took is that of its sessions, and not of what was made of it later', async () => {
  const sessions = [
    ...half,
    { type: 'warning', message: 'later' },
    resumed,
    step(6, 0.5),
    completed,
  ];
  const run = await runOf([...sessions, completed]);
  expect(run).toMatchObject({ began: at(0), seconds: 4 * 60 });
});

test('checkpoints have the losses of their steps', async () => {
  const folder = await tempFolder();
  const evaluation = (number: number, loss: number) => ({
    type: 'eval',
    step: number,
    epoch: 1,
    eval_loss: loss,
    eval_perplexity: 2,
    eval_runtime: 1,
  });
  const saved = (number: number) => ({ type: 'checkpoint', step: number, dir: '/run' });
  const entries = [
    startedEvent(),
    step(1, 0.9),
    step(2, 0.8),
    evaluation(2, 0.7),
    saved(2),
    step(3, 0.6),
    saved(3),
  ];
  const text = entries.map((entry) => JSON.stringify({ time: at(0), ...entry })).join('\n');
  await writeFile(path.join(folder, 'events.jsonl'), `${text}\n`);
  for (const number of [2, 3, 4]) await mkdir(path.join(folder, `checkpoint-${number}`));
  const { checkpoints } = (await readRunFolder(folder))!.summary;
  expect(checkpoints.map(({ loss, evalLoss }) => [loss, evalLoss])).toEqual([
    [0.8, 0.7],
    [0.6, null],
    [null, null],
  ]);
});

test('a journal that was replaced is read anew', async () => {
  const folder = await tempFolder();
  const file = path.join(folder, 'events.jsonl');
  const write = (...entries: readonly object[]): Promise<void> =>
    writeFile(
      file,
      entries.map((entry) => `${JSON.stringify({ time: at(0), ...entry })}\n`).join(''),
    );
  const sessions = new RunSessions(folder);
  await write(...whole);
  await sessions.read();
  expect(sessions.latest?.status.state).toBe('completed');
  await write(startedEvent(), step(1, 0.5));
  await sessions.read();
  expect(sessions.earlier).toBeUndefined();
  expect(sessions.latest?.status).toMatchObject({ state: 'running', step: 1 });
});
