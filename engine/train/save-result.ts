import { checkpointPath, openCheckpoint } from './checkpoint-folders.ts';
import type { CompletedEvent } from './events.ts';
import type { Learning } from './learning.ts';
import type { Trainee } from './trainee.ts';
import { UnusableCheckpoint } from './unusable-checkpoint.ts';

/** What became the result of a run. */
export interface SavedResult {
  /** Of the result, where it is not the model of the last step. */
  readonly earlier: Pick<CompletedEvent, 'eval_loss' | 'result_step'>;
  /** What its owner should know of it: a sentence for people. */
  readonly message: string | undefined;
}

/**
 * Saves what a run has come to: the model as it is, or that of the best evaluation before it.
 *
 * @param best undefined where the last one is wanted, or is the best
 * @throws LorafaError `output.not_writable`
 */
export async function saveResult(
  trainee: Trainee,
  folder: string,
  best: NonNullable<Learning['best']> | undefined,
): Promise<SavedResult> {
  let message: string | undefined;
  if (best !== undefined) {
    const found = `The evaluation was best at step ${best.step} (loss ${best.loss.toFixed(4)})`;
    try {
      const checkpoint = await openCheckpoint(checkpointPath(folder, best.step));
      await trainee.saveFrom(checkpoint.folder, folder);
      message = `${found}: the result is the model of that step.`;
      return { earlier: { eval_loss: best.loss, result_step: best.step }, message };
    } catch (error) {
      if (!(error instanceof UnusableCheckpoint)) throw error;
      message = `${found}, but its checkpoint cannot be used: ${error.problem}; the result is the model of the last step.`;
    }
  }
  await trainee.save(folder, false);
  return { earlier: {}, message };
}
