import { expect, test } from 'vitest';
import { bestRuns } from '../../../extension/runs/best-runs.ts';
import type { RunStatus } from '../../../server/runs/run-status.ts';
import { runSummary } from '../../support/run-summary.ts';

/** Runs `/runs/0`, `/runs/1`, … with these losses. */
function best(...losses: readonly Partial<RunStatus>[]) {
  const found = bestRuns(
    losses.map((status, index) => runSummary(status, { folder: `/runs/${index}` })),
  );
  return found && [found.by, ...found.folders];
}

test('the run with the lowest evaluation loss is the best one, whatever the loss of training', () => {
  expect(best({ loss: 1, evalLoss: 3 }, { loss: 2, evalLoss: 2 }, { loss: 0 })).toEqual([
    'eval_loss',
    '/runs/1',
  ]);
});

test('runs of which no two were evaluated are compared by their loss', () => {
  expect(best({ loss: 1, evalLoss: 3 }, { loss: 2 })).toEqual(['loss', '/runs/0']);
  expect(best({ loss: Number.NaN }, { loss: 2 }, { loss: 3 })).toEqual(['loss', '/runs/1']);
});

test('those that are level are both the best; where all are, or nothing is known, none is', () => {
  expect(best({ loss: 1 }, { loss: 1 }, { loss: 2 })).toEqual(['loss', '/runs/0', '/runs/1']);
  expect(best({ loss: 1 }, { loss: 1 })).toBeUndefined();
  expect(best({ loss: 1 }, {})).toBeUndefined();
  expect(best()).toBeUndefined();
});
