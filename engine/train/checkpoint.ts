import path from 'node:path';
import { addFolder, renameFolder } from '../files/folders.ts';
import { removeFolder } from '../files/remove.ts';
import { writeSafetensors } from '../formats/safetensors-writer.ts';
import type { Optimizer } from '../optim/optimizer.ts';
import type { StateTensor } from '../runtime/state-tensor.ts';
import { digestFiles } from './checkpoint-files.ts';
import { checkpointPath, PARTIAL_SUFFIX } from './checkpoint-folders.ts';
import { readCheckpointTensors } from './checkpoint-tensors.ts';
import { OPTIMIZER_FILE } from './result-files.ts';
import { type TrainerState, writeTrainerState } from './trainer-state.ts';
import type { TrainingBackend } from './training-backend.ts';

/**
 * Writes a checkpoint: a folder with the adapter (or model), `optimizer.safetensors`, and at last
 * `trainer_state.json` with the digests of the others. It gets its name only when all of it is on
 * disk; one that had the name before goes only then.
 *
 * @param verify makes sure, before anything is written and again before it gets its name, that the
 * run folder is still this run's
 * @returns the checkpoint's folder
 * @throws LorafaError `output.not_writable`, and what `verify` throws; what was there before is untouched
 */
export async function saveCheckpoint(
  runFolder: string,
  { trainee, moments }: Pick<TrainingBackend, 'trainee' | 'moments'>,
  state: TrainerState,
  verify: () => Promise<void>,
): Promise<string> {
  await verify();
  const folder = checkpointPath(runFolder, state.global_step);
  const partial = `${folder}${PARTIAL_SUFFIX}`;
  await removeFolder(partial);
  await addFolder(partial);
  try {
    await trainee.save(partial, true);
    await writeMoments(partial, moments);
    await writeTrainerState(partial, state, await digestFiles(partial));
    await verify();
    await renameFolder(partial, folder);
  } catch (error) {
    await removeFolder(partial).catch(() => undefined);
    throw error;
  }
  return folder;
}

/** Writes the moments of an optimizer into a folder. @throws LorafaError `output.not_writable` */
export async function writeMoments(
  folder: string,
  moments: ReadonlyMap<string, StateTensor>,
): Promise<void> {
  await writeSafetensors(
    path.join(folder, OPTIMIZER_FILE),
    [...moments].map(([name, moment]) => ({
      name,
      dtype: 'F32',
      shape: [moment.length],
      data: moment.read(),
    })),
  );
}

/**
 * Puts a checkpoint's moments in the place of the initial ones.
 *
 * @throws LorafaError `checkpoint.corrupt` or `checkpoint.mismatch`; nothing is changed then
 */
export async function restoreOptimizer(
  folder: string,
  optimizer: Pick<Optimizer, 'moments' | 'restore'>,
  steps: number,
): Promise<void> {
  const moments = await readCheckpointTensors(path.join(folder, OPTIMIZER_FILE), optimizer.moments);
  optimizer.restore(moments, steps);
}
