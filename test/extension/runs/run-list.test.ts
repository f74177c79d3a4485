import { expect, test } from 'vitest';
import {
  abilitiesOf,
  endedRuns,
  resultCheckpoint,
  sortRuns,
  withNews,
} from '../../../extension/runs/run-list.ts';
import { RUN_STATES } from '../../../server/trainer/run-status.ts';
import { checkpoint, runSummary } from '../../support/run-summary.ts';

const old = runSummary({ state: 'completed', since: '2026-01-01' }, { folder: '/runs/old' });
const recent = runSummary({ state: 'failed', since: '2026-03-01' }, { folder: '/runs/recent' });
const live = runSummary({ state: 'running', since: '2025-01-01' }, { folder: '/runs/live' });

test('live runs come first, then the latest', () => {
  expect(sortRuns([old, recent, live])).toEqual([live, recent, old]);
});

test('news of a run replaces what was known of it, and new runs find their place', () => {
  const news = (...runs: readonly (typeof old)[]) => new Map(runs.map((run) => [run.folder, run]));
  const first = withNews([], news(old, live));
  expect(first).toEqual([live, old]);
  const ended = runSummary({ state: 'stopped', since: '2026-02-01' }, { folder: '/runs/live' });
  expect(withNews(first, news(ended))).toEqual([ended, old]);
  expect(withNews(first, new Map([[live.folder, null]]))).toEqual([old]);
  expect(first).toEqual([live, old]);
});

test('a run has ended when it was live before and is not any more', () => {
  const before = new Set(['/runs/live', '/runs/recent', '/runs/removed']);
  expect(endedRuns(before, [live, recent, old])).toEqual([recent]);
});

test('abilities follow the state', () => {
  const able = (ability: keyof ReturnType<typeof abilitiesOf>): string[] =>
    RUN_STATES.filter(
      (state) => abilitiesOf(runSummary({ state }, { checkpoints: [checkpoint()] }))[ability],
    );
  expect(able('canPause')).toEqual(['running']);
  expect(able('canResume')).toEqual(['pausing', 'paused']);
  expect(able('canStop')).toEqual(['queued', 'preparing', 'running', 'pausing', 'paused']);
  expect(able('canCheckpoint')).toEqual(['running', 'paused']);
  expect(able('canFinish')).toEqual(['completed', 'stopped', 'cancelled', 'failed']);
  expect(able('canResumeFromCheckpoint')).toEqual(['stopped', 'cancelled', 'failed']);
});

test('what is the result of a run already cannot be made it', () => {
  const folder = '/runs/old';
  const checkpoints = [checkpoint({ step: 10 }), checkpoint({ step: 20 })];
  const done = runSummary(
    { state: 'completed', step: 20 },
    { folder, adapter: folder, checkpoints },
  );
  expect(resultCheckpoint(done)).toBe(checkpoints[1]);
  expect(abilitiesOf(done).canFinish).toBe(true);
  expect(abilitiesOf({ ...done, checkpoints: [checkpoints[1]!] }).canFinish).toBe(false);
  // Its result is not there any more, or is another.
  expect(resultCheckpoint({ ...done, adapter: checkpoints[1]!.folder })).toBeUndefined();
  expect(resultCheckpoint(runSummary({ ...done.status, step: 15 }, { ...done }))).toBeUndefined();
  // Its result is that of the best evaluation.
  const best = runSummary({ ...done.status, resultStep: checkpoints[0]!.step }, { ...done });
  expect(resultCheckpoint(best)).toBe(checkpoints[0]);
});

test('a run of the command line is only watched', () => {
  const watched = abilitiesOf(runSummary({}, { isSteerable: false, checkpoints: [checkpoint()] }));
  expect(Object.values(watched)).not.toContain(true);
});

test('what has learned something and ended can be trained further, be it complete', () => {
  const further = (status: Parameters<typeof runSummary>[0], adapter: string | null): boolean =>
    abilitiesOf(runSummary(status, { adapter })).canTrainFurther;
  expect(further({ state: 'completed' }, '/runs/first')).toBe(true);
  expect(further({ state: 'stopped' }, '/runs/first/checkpoint-3')).toBe(true);
  expect(further({ state: 'stopped' }, null)).toBe(false);
  expect(further({ state: 'running' }, '/runs/first/checkpoint-3')).toBe(false);
});

test('whatever ended early can be gone on with: from a checkpoint, or from its start', () => {
  const abilities = (change: Parameters<typeof runSummary>[1]) =>
    abilitiesOf(runSummary({ state: 'failed' }, change));
  const begun = { canResumeFromCheckpoint: true, canStartAgain: false };
  expect(abilities({ checkpoints: [checkpoint()] })).toMatchObject(begun);
  expect(abilities({ checkpoints: [checkpoint({ isCurrent: false })] })).toMatchObject(begun);
  expect(abilities({})).toMatchObject({ canResumeFromCheckpoint: false, canStartAgain: true });
  expect(abilitiesOf(old).canStartAgain).toBe(false);
});
