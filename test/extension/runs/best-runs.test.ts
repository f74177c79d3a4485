import { expect, test } from 'vitest';
import { bestRuns, measuredOn } from '../../../extension/runs/best-runs.ts';
import type { RunStatus } from '../../../server/trainer/run-status.ts';
import { runSummary } from '../../support/run-summary.ts';

/** Runs `/runs/0`, `/runs/1`, … with these losses. */
const runsWith = (losses: readonly Partial<RunStatus>[]) =>
  losses.map((status, index) => runSummary(status, { folder: `/runs/${index}` }));

/** The best of runs that were measured on the same rows. */
function best(...losses: readonly Partial<RunStatus>[]) {
  const runs = runsWith(losses);
  const found = bestRuns(runs, new Map(runs.map(({ folder }) => [folder, 'rows'])));
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

test('losses of other rows or of another model are not compared', () => {
  const runs = runsWith([
    { loss: 1, evalLoss: 1 },
    { loss: 2, evalLoss: 2 },
  ]);
  const of = (...configs: Parameters<typeof measuredOn>[0][]) =>
    bestRuns(runs, new Map(configs.map((config, i) => [`/runs/${i}`, measuredOn(config)])));
  const config = {
    model: { base_model_name_or_path: 'base' },
    data: { dataset_name_or_path: 'rows.jsonl', eval_split: 0.1 },
    training: { seed: 1, learning_rate: 1 },
  };
  expect(of(config, { ...config, training: { seed: 1, learning_rate: 2 } })?.by).toBe('eval_loss');
  expect(of(config, { ...config, training: { seed: 2 } })).toBeUndefined();
  expect(of(config, { ...config, data: { dataset_name_or_path: 'others.jsonl' } })).toBeUndefined();
  expect(of(config, { ...config, model: { base_model_name_or_path: 'other' } })).toBeUndefined();
  expect(bestRuns(runs, new Map())).toBeUndefined();
});
