import type { ResolvedConfig } from '../config/schema.ts';
import type { Learning } from './learning.ts';

/** Of the configuration what decides which evaluation is a better one. */
export type BestSettings = Pick<
  ResolvedConfig['training'],
  'metric_for_best_model' | 'early_stopping_patience' | 'early_stopping_threshold'
>;

/**
 * How many evaluations there have been since the last better one, with one more of them; as
 * transformers' `EarlyStoppingCallback` counts (`early_stopping_patience_counter`). The first one is
 * better than none.
 *
 * @param learning the course of the run before that evaluation, which is not that of step 0
 * @param loss its loss, perhaps no number
 */
export function patienceAfter(
  counter: number,
  { best, last }: Learning,
  loss: number,
  { metric_for_best_model: metric, early_stopping_threshold: threshold }: BestSettings,
): number {
  const metricOf = (value: number): number => (metric === 'eval_loss' ? value : Math.exp(value));
  const before = best === null ? Number.POSITIVE_INFINITY : metricOf(best.loss);
  const isBetter = before - metricOf(loss) > threshold;
  return last === null || isBetter ? 0 : counter + 1;
}

/** Whether a run is to end since its evaluations became no better any more. */
export function isOutOfPatience(
  counter: number,
  { early_stopping_patience: patience }: BestSettings,
): boolean {
  return patience !== undefined && counter >= patience;
}

/**
 * Why a run ended that is out of patience, as a clause.
 *
 * @param compared the best evaluation before the last one; undefined where that was in an earlier session
 */
export function outOfPatience(
  { early_stopping_patience: patience, early_stopping_threshold: threshold }: BestSettings,
  compared: Learning['best'] | undefined,
): string {
  const times = patience === 1 ? 'was' : `was ${patience} times in a row`;
  const better =
    threshold === 0
      ? 'no better'
      : `not better by more than ${threshold} (training.early_stopping_threshold)`;
  const that = compared ? `that of step ${compared.step}` : 'none';
  // With a threshold the best may change while none is better enough.
  const before =
    compared === undefined
      ? 'the best one before it'
      : threshold === 0 || patience === 1
        ? that
        : `the best one before it, at last ${that}`;
  return `the evaluation ${times} ${better} than ${before} (training.early_stopping_patience)`;
}
