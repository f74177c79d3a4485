import type { TrainEvent } from '../train/events.ts';

/** All names that there are. */
export const SCALAR_NAMES = [
  ...['loss', 'grad_norm', 'learning_rate', 'epoch', 'num_tokens', 'tokens_per_second'],
  ...['eval_loss', 'eval_perplexity', 'eval_runtime'],
  ...['train_loss', 'train_runtime'],
] as const;

/** Numbers at a step of a run, under the names that transformers' Trainer logs them by. */
export interface Scalars {
  readonly step: number;
  readonly values: Readonly<Record<string, number>>;
}

/** What of an event belongs on curves; undefined where nothing does. */
export function scalarsOf(event: TrainEvent): Scalars | undefined {
  switch (event.type) {
    case 'step': {
      const { step, loss, grad_norm, learning_rate, epoch, num_tokens, tokens_per_second } = event;
      const values = { loss, grad_norm, learning_rate, epoch, num_tokens, tokens_per_second };
      return { step, values };
    }
    case 'eval': {
      const { step, eval_loss, eval_perplexity, eval_runtime } = event;
      return { step, values: { eval_loss, eval_perplexity, eval_runtime } };
    }
    case 'completed': {
      const { steps: step, train_loss, train_runtime } = event;
      return { step, values: { train_loss, train_runtime } };
    }
    default:
      return undefined;
  }
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
