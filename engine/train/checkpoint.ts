import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { LorafaError } from '../errors.ts';
import { ensureFolder, removeFolder, renameFolder, writeFileAtomic } from '../files.ts';
import { openSafetensors } from '../formats/safetensors.ts';
import { writeSafetensors } from '../formats/safetensors-writer.ts';
import { readTensor } from '../formats/tensor-data.ts';
import { COMPUTE_MODES } from '../models/compute-mode.ts';
import type { Optimizer } from '../optim/optimizer.ts';
import type { Trainee } from './trainee.ts';

const OPTIMIZER_FILE = 'optimizer.safetensors';
const STATE_FILE = 'trainer_state.json';
const PARTIAL_SUFFIX = '.partial';
const CHECKPOINT_NAME = /^checkpoint-(\d+)$/;

const trainerStateSchema = z.object({
  version: z.literal(1),
  /** Optimizer steps done. */
  global_step: z.int().nonnegative(),
  /** Passes over the data that are complete. */
  epoch: z.int().nonnegative(),
  /** Optimizer steps done in the pass that is not. */
  step_in_epoch: z.int().nonnegative(),
  /** Tokens seen, padding excluded. */
  num_tokens: z.int().nonnegative(),
  /** Sum and number of the step losses since the last report. */
  unreported_loss: z.number(),
  unreported_steps: z.int().nonnegative(),
  /** Decides, with the numbers above, the order of the data and every dropout mask to come. */
  seed: z.int().nonnegative(),
  /** How products are computed, where the run chose that itself (`engine.compute: "auto"`). */
  compute: z.enum(COMPUTE_MODES).exactOptional(),
  /** What the run must have in common with the one that goes on from here. */
  identity: z.record(z.string(), z.json()),
});

/** Where a run stands: with the weights and moments, all that decides its future. */
export type TrainerState = Readonly<z.infer<typeof trainerStateSchema>>;

/** Path of the checkpoint of a step. */
export function checkpointPath(runFolder: string, step: number): string {
  return path.join(runFolder, `checkpoint-${step}`);
}

/**
 * Writes a checkpoint: a folder with the adapter (or model), `optimizer.safetensors` and
 * `trainer_state.json`. It gets its name only when all of it is on disk.
 *
 * @param verify makes sure, before anything is written and again before it gets its name, that the
 * run folder is still this run's
 * @returns the checkpoint's folder
 * @throws LorafaError `output.not_writable`, and what `verify` throws; what was there before is untouched
 */
export async function saveCheckpoint(
  runFolder: string,
  trainee: Trainee,
  optimizer: Optimizer,
  state: TrainerState,
  verify: () => Promise<void>,
): Promise<string> {
  await verify();
  const folder = checkpointPath(runFolder, state.global_step);
  const partial = `${folder}${PARTIAL_SUFFIX}`;
  await removeFolder(partial);
  await ensureFolder(partial);
  try {
    await trainee.save(partial, true);
    await writeSafetensors(
      path.join(partial, OPTIMIZER_FILE),
      [...optimizer.moments].map(([name, data]) => ({
        name,
        dtype: 'F32',
        shape: [data.length],
        data,
      })),
    );
    await writeFileAtomic(path.join(partial, STATE_FILE), `${JSON.stringify(state, null, 2)}\n`);
    await verify();
    await removeFolder(folder);
    await renameFolder(partial, folder);
  } catch (error) {
    await removeFolder(partial).catch(() => undefined);
    throw error;
  }
  return folder;
}

/**
 * Removes the oldest checkpoints of a run beyond `limit`.
 *
 * @param saved the one to keep in any case: a run that was resumed from an early checkpoint writes
 * some that are older, by their steps, than those it wrote before
 */
export async function pruneCheckpoints(
  runFolder: string,
  limit: number,
  saved: string,
): Promise<void> {
  const others = (await listCheckpoints(runFolder)).filter((folder) => folder !== saved);
  for (const folder of others.slice(0, Math.max(0, others.length + 1 - limit))) {
    await removeFolder(folder);
  }
}

/** The checkpoints of a run, oldest first. */
export async function listCheckpoints(runFolder: string): Promise<string[]> {
  const names = await readdir(runFolder).catch(() => []);
  return names
    .flatMap((name) => {
      const step = CHECKPOINT_NAME.exec(name)?.[1];
      return step === undefined ? [] : [Number(step)];
    })
    .toSorted((a, b) => a - b)
    .map((step) => checkpointPath(runFolder, step));
}

/**
 * The folder that `training.resume_from_checkpoint` means.
 *
 * @param setting a folder, or `latest` for the newest checkpoint of the run
 * @throws LorafaError `checkpoint.corrupt` when there is none
 */
export async function findCheckpoint(runFolder: string, setting: string): Promise<string> {
  if (setting !== 'latest') return setting;
  const latest = (await listCheckpoints(runFolder)).at(-1);
  if (latest !== undefined) return latest;
  throw new LorafaError(
    'checkpoint.corrupt',
    `There is no checkpoint in ${runFolder} to resume from; remove training.resume_from_checkpoint to start anew.`,
    { location: { file: runFolder } },
  );
}

/**
 * Reads where a checkpoint's run stood.
 *
 * @throws LorafaError `checkpoint.corrupt`
 */
export async function readTrainerState(folder: string): Promise<TrainerState> {
  const file = path.join(folder, STATE_FILE);
  try {
    return trainerStateSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (error) {
    throw new LorafaError(
      'checkpoint.corrupt',
      `${folder} is not a complete checkpoint: ${STATE_FILE} is missing or broken; resume from an older one.`,
      { location: { file }, cause: error },
    );
  }
}

/**
 * Puts a checkpoint's weights and moments in place of the initial ones.
 *
 * @throws LorafaError `checkpoint.corrupt` or `checkpoint.mismatch`; nothing is changed then
 */
export async function restoreCheckpoint(
  folder: string,
  trainee: Trainee,
  optimizer: Optimizer,
  state: TrainerState,
): Promise<void> {
  const weights = await readAll(path.join(folder, trainee.weightsFile), trainee.tensors);
  const moments = await readAll(path.join(folder, OPTIMIZER_FILE), optimizer.moments);
  for (const [name, values] of trainee.tensors) values.set(weights.get(name)!);
  optimizer.restore(moments, state.global_step);
}

/** Reads the tensors of a file, which must be those of `expected`. */
async function readAll(
  file: string,
  expected: ReadonlyMap<string, Float32Array>,
): Promise<Map<string, Float32Array>> {
  const { tensors } = await openSafetensors(file, {
    notFound: 'checkpoint.corrupt',
    corrupt: 'checkpoint.corrupt',
  });
  const values = new Map<string, Float32Array>();
  for (const [name, { length }] of expected) {
    const location = tensors.get(name);
    const data = location === undefined ? undefined : await readTensor(location);
    if (data?.length !== length) {
      throw new LorafaError(
        'checkpoint.mismatch',
        `${file} does not belong to this run: its tensor "${name}" is ${data === undefined ? 'missing' : `${data.length} numbers long, not ${length}`}.`,
        { location: { file } },
      );
    }
    values.set(name, data);
  }
  return values;
}
