import { expect, test } from 'vitest';
import {
  type BestSettings,
  outOfPatience,
  patienceAfter,
} from '../../../engine/train/best-evaluation.ts';
import { learningAfter, NO_LEARNING } from '../../../engine/train/learning.ts';
import { goldenJson } from '../../support/golden.ts';

/** Written by test/reference/tables.py. */
interface GoldenCase {
  readonly losses: readonly (number | null)[];
  readonly early_stopping_patience: number;
  readonly early_stopping_threshold: number;
  readonly counters: readonly number[];
  readonly best_steps: readonly (number | null)[];
}

const cases = goldenJson<GoldenCase[]>('early-stopping.json');

test.each(cases)(
  '$losses, patience $early_stopping_patience, threshold $early_stopping_threshold: counted as by EarlyStoppingCallback',
  (golden) => {
    const settings: BestSettings = { ...golden, metric_for_best_model: 'eval_loss' };
    let [learning, counter] = [NO_LEARNING, 0];
    const counters: number[] = [];
    const best: (number | null)[] = [];
    for (const [index, loss] of golden.losses.slice(0, golden.counters.length).entries()) {
      const eval_loss = loss ?? Number.NaN;
      const eval_perplexity = Math.exp(eval_loss);
      counter = patienceAfter(counter, learning, eval_loss, settings);
      const step = index + 1;
      learning = learningAfter(learning, {
        type: 'eval',
        step,
        epoch: step,
        eval_loss,
        eval_perplexity,
        eval_runtime: 0,
      });
      counters.push(counter);
      best.push(learning.best?.step ?? null);
    }
    expect(counters).toEqual(golden.counters);
    expect(best).toEqual(golden.best_steps);
  },
);

test('a threshold is in the unit of the metric', () => {
  const before = { ...NO_LEARNING, best: { step: 1, loss: 3 }, last: { step: 1, loss: 3 } };
  const counted = (metric: BestSettings['metric_for_best_model']): number =>
    patienceAfter(0, before, 2.9, {
      metric_for_best_model: metric,
      early_stopping_patience: 1,
      early_stopping_threshold: 0.5,
    });
  expect([counted('eval_loss'), counted('eval_perplexity')]).toEqual([1, 0]);
});

test.each([
  [1, 0, 4, 'was no better than that of step 4'],
  [2, 0, 4, 'was 2 times in a row no better than that of step 4'],
  [
    1,
    0.5,
    4,
    'was not better by more than 0.5 (training.early_stopping_threshold) than that of step 4',
  ],
  [
    2,
    1000,
    4,
    'was 2 times in a row not better by more than 1000 (training.early_stopping_threshold) than the best one before it, at last that of step 4',
  ],
  [2, 0, undefined, 'was 2 times in a row no better than the best one before it'],
])('patience %j, threshold %j: the end is told in words', (patience, threshold, step, words) => {
  const settings: BestSettings = {
    metric_for_best_model: 'eval_loss',
    early_stopping_patience: patience,
    early_stopping_threshold: threshold,
  };
  const compared = step === undefined ? undefined : { step, loss: 1 };
  expect(outOfPatience(settings, compared)).toBe(
    `the evaluation ${words} (training.early_stopping_patience)`,
  );
});
