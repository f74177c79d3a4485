import path from 'node:path';
import { LorafaError } from '../errors.ts';
import { Journal } from '../files/append.ts';
import { copyAdapter } from '../lora/save-adapter.ts';
import { openRunModel } from '../plan/run-model.ts';
import { openCheckpoint } from './checkpoint-folders.ts';
import type { CompletedEvent } from './events.ts';
import { whereItIsNow } from './moved-run.ts';
import { RUN_FILES } from './run-files.ts';
import { journalLine } from './run-folder.ts';
import { RunLock } from './run-lock.ts';
import { readRunRecord } from './run-record.ts';
import { createTrainee } from './trainee.ts';

/** What was measured at a checkpoint, for those who look at the run later. */
export type MeasuredLosses = Required<Pick<CompletedEvent, 'loss' | 'eval_loss'>>;

/**
 * Makes a checkpoint of a run that has ended its result, as if its step had been the last. Nothing
 * else of the run changes: it can still go on.
 *
 * @param checkpoint one of its folders
 * @throws LorafaError `usage.invalid` for a checkpoint of another folder, `checkpoint.corrupt`,
 * `output.in_use`, `output.not_writable`; of a run that trains a whole model, what is wrong with that
 */
export async function finishRun(
  folder: string,
  checkpoint: string,
  losses: MeasuredLosses,
): Promise<CompletedEvent> {
  if (path.dirname(checkpoint) !== folder) {
    throw new LorafaError(
      'usage.invalid',
      `${checkpoint} is no checkpoint of the run in ${folder}; choose one of its own.`,
    );
  }
  const { config: stored } = await readRunRecord(folder);
  const config = whereItIsNow(stored, folder);
  const lock = await RunLock.acquire(folder);
  try {
    const { state } = await openCheckpoint(checkpoint);
    await lock.verify();
    if (config.training.method === 'full') {
      // Its weights are kept in float32 to go on from, and the result has the types of the base.
      const base = await openRunModel(config, () => undefined);
      await (await createTrainee(config, base, { checkpoint })).save(folder, false);
    } else {
      await copyAdapter(checkpoint, folder);
    }
    const event: CompletedEvent = {
      type: 'completed',
      adapter_dir: folder,
      steps: state.global_step,
      train_loss: state.total_loss / Math.max(1, state.global_step),
      train_runtime: 0,
      ...losses,
    };
    await lock.verify();
    const journal = await Journal.open(path.join(folder, RUN_FILES.journal));
    await journal.append(journalLine(event));
    await journal.sync();
    await journal.close();
    return event;
  } finally {
    await lock.release();
  }
}
