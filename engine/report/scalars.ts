import type { TrainEvent } from '../train/events.ts';

/** What is told of a step, of an evaluation, and of a whole run. */
export const STEP_SCALARS = [
  'epoch',
  'loss',
  'grad_norm',
  'learning_rate',
  'num_tokens',
  'tokens_per_second',
] as const;
export const EVAL_SCALARS = ['eval_loss', 'eval_perplexity', 'eval_runtime'] as const;
export const RUN_SCALARS = ['train_loss', 'train_runtime'] as const;

/** Numbers at a step of a run, under the names that transformers' Trainer logs them by. */
export interface Scalars {
  readonly step: number;
  readonly values: Readonly<Record<string, number>>;
}

/** What of an event belongs on curves; undefined where nothing does. */
export function scalarsOf(event: TrainEvent): Scalars | undefined {
  switch (event.type) {
    case 'step':
      return { step: event.step, values: pick(event, STEP_SCALARS) };
    case 'eval':
      return { step: event.step, values: pick(event, EVAL_SCALARS) };
    case 'completed':
      return { step: event.steps, values: pick(event, RUN_SCALARS) };
    default:
      return undefined;
  }
}

function pick<K extends string>(
  event: Readonly<Record<K, number>>,
  names: readonly K[],
): Readonly<Record<string, number>> {
  return Object.fromEntries(names.map((name) => [name, event[name]]));
}

/**
 * The names of curves where they are grouped by what is before a slash: `eval/loss` for `eval_loss`,
 * `train/…` for all others, as `rewrite_logs` of transformers' integrations has it.
 */
export function grouped({ values }: Scalars): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name.startsWith('eval_') ? `eval/${name.slice('eval_'.length)}` : `train/${name}`,
      value,
    ]),
  );
}
