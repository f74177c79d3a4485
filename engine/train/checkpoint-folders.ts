import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { LorafaError } from '../errors.ts';
import { removeFolder } from '../files/remove.ts';
import { verifyFiles, verifySizes } from './checkpoint-files.ts';
import { isOnLineage, type Lineage } from './lineage.ts';
import { readLineage } from './run-record.ts';
import { readTrainerState, type TrainerState } from './trainer-state.ts';
import { OtherVersionCheckpoint, UnusableCheckpoint } from './unusable-checkpoint.ts';

/** End of the name of a checkpoint that is being written. */
export const PARTIAL_SUFFIX = '.partial';

const CHECKPOINT_NAME = /^checkpoint-(\d{1,15})$/;
const PARTIAL_NAME = /^checkpoint-\d+\.partial$/;

/** A checkpoint that was looked into. */
export interface Checkpoint {
  readonly folder: string;
  readonly state: TrainerState;
}

/** Path of the checkpoint of a step. */
export function checkpointPath(runFolder: string, step: number): string {
  return path.join(runFolder, `checkpoint-${step}`);
}

/** Whether an entry of a run folder is a checkpoint, by its name. */
export function isCheckpointName(name: string): boolean {
  return CHECKPOINT_NAME.test(name);
}

/** Whether an entry of a run folder is a checkpoint that is being written, or was. */
export function isPartialCheckpoint(name: string): boolean {
  return PARTIAL_NAME.test(name);
}

/** The checkpoints of a run folder by their names, oldest first. */
export async function listCheckpoints(runFolder: string): Promise<string[]> {
  const names = await readdir(runFolder).catch(() => []);
  return names
    .flatMap((name) => {
      const step = CHECKPOINT_NAME.exec(name)?.[1];
      return step === undefined ? [] : [{ name, step: Number(step) }];
    })
    .toSorted((a, b) => a.step - b.step)
    .map(({ name }) => path.join(runFolder, name));
}

/** A checkpoint of a run folder, as far as it can be told without reading its weights. */
export interface FoundCheckpoint {
  readonly folder: string;
  readonly step: number;
  /** Whether the run went through it to where it stands: it is not on a branch that was left. */
  readonly isCurrent: boolean;
  /** Why it cannot be used, as a clause; null if nothing speaks against it. */
  readonly problem: string | null;
}

/**
 * The checkpoints of a run folder, oldest first: those on the run's way are told from the others by
 * their state files, and what is wrong with them by the sizes of the other files too.
 *
 * @param way the lineage of the run's latest session; with none, every checkpoint is on it
 */
export async function findCheckpoints(
  runFolder: string,
  way: Lineage | undefined,
): Promise<readonly FoundCheckpoint[]> {
  const folders = await listCheckpoints(runFolder);
  const found: FoundCheckpoint[] = [];
  // One after the other: a folder may hold any number of states, each as large as may be.
  for (const folder of folders) {
    const step = Number(CHECKPOINT_NAME.exec(path.basename(folder))?.[1]);
    const { problem, state } = await lookInto(folder);
    const isCurrent = way === undefined || (state !== undefined && isOnLineage(state, way));
    found.push({ folder, step, isCurrent, problem });
  }
  return found;
}

/** The checkpoints of a run folder, told apart by its record. */
export async function runCheckpoints(runFolder: string): Promise<readonly FoundCheckpoint[]> {
  return findCheckpoints(runFolder, await readLineage(runFolder));
}

/** What is wrong with a checkpoint, as far as it can be told without reading its weights. */
export async function checkpointProblem(folder: string): Promise<string | null> {
  return (await lookInto(folder)).problem;
}

async function lookInto(
  folder: string,
): Promise<{ readonly state?: TrainerState; readonly problem: string | null }> {
  let state: TrainerState | undefined;
  try {
    const stored = await readTrainerState(folder);
    state = stored.state;
    requireOwnName(folder, state);
    await verifySizes(folder, stored.files);
    return { state, problem: null };
  } catch (error) {
    if (!(error instanceof UnusableCheckpoint)) throw error;
    return { ...(state !== undefined && { state }), problem: error.problem };
  }
}

/**
 * Opens a checkpoint and makes sure that it is what was written.
 *
 * @throws UnusableCheckpoint
 */
export async function openCheckpoint(folder: string): Promise<Checkpoint> {
  const { state, files } = await readTrainerState(folder);
  await verifyFiles(folder, files);
  return { folder, state };
}

/** What {@link latestCheckpoint} found. */
export interface LatestCheckpoint {
  /** Undefined where no checkpoint can be used. */
  readonly checkpoint: Checkpoint | undefined;
  /** A sentence for each newer one that was passed over, with its problem. */
  readonly skipped: readonly string[];
  /** Names of those that are newer and on a branch that the run has left. */
  readonly leftBehind: readonly string[];
}

/**
 * The newest checkpoint on a run's way that is what was written, in a folder that still has the
 * name of its step.
 *
 * @throws OtherVersionCheckpoint where there is no other one: going on without it would take its place
 */
export async function latestCheckpoint(
  runFolder: string,
  way: Lineage | undefined,
): Promise<LatestCheckpoint> {
  const skipped: string[] = [];
  const leftBehind: string[] = [];
  let ofOtherVersion: OtherVersionCheckpoint | undefined;
  for (const folder of (await listCheckpoints(runFolder)).toReversed()) {
    try {
      const { state, files } = await readTrainerState(folder);
      // Whatever is wrong with one that was left behind, nobody misses it.
      if (way !== undefined && !isOnLineage(state, way)) {
        leftBehind.push(path.basename(folder));
        continue;
      }
      requireOwnName(folder, state);
      await verifyFiles(folder, files);
      const goesOn = `; the run goes on from ${path.basename(folder)}.`;
      const sentences = skipped.map((clause) => clause + goesOn);
      return { checkpoint: { folder, state }, skipped: sentences, leftBehind };
    } catch (error) {
      if (!(error instanceof UnusableCheckpoint)) throw error;
      if (error instanceof OtherVersionCheckpoint) ofOtherVersion ??= error;
      skipped.push(`${path.basename(folder)} was passed over: ${error.problem}`);
    }
  }
  if (ofOtherVersion !== undefined) throw ofOtherVersion;
  return { checkpoint: undefined, skipped: skipped.map((clause) => `${clause}.`), leftBehind };
}

/** Newer and older are told by names: one that was renamed or copied has the place of another. */
function requireOwnName(folder: string, { global_step: step }: TrainerState): void {
  if (Number(CHECKPOINT_NAME.exec(path.basename(folder))?.[1]) === step) return;
  throw new UnusableCheckpoint(folder, `it is the checkpoint of step ${step} under another name`, {
    file: folder,
    wayOut: 'rename it back, or resume from it by its path',
  });
}

/**
 * Removes checkpoints of a run beyond `limit`: first those of branches that were left, then the
 * oldest. Those that another version of the program wrote are not for this one to remove.
 *
 * @param kept those that are kept in any case: the newest one, and the best
 */
export async function pruneCheckpoints(
  runFolder: string,
  limit: number,
  kept: ReadonlySet<string>,
  way: Lineage,
): Promise<void> {
  const found = await findCheckpoints(runFolder, way);
  const others = found
    .toSorted((a, b) => Number(a.isCurrent) - Number(b.isCurrent))
    .map(({ folder }) => folder)
    .filter((folder) => !kept.has(folder));
  for (const folder of others.slice(0, Math.max(0, others.length + kept.size - limit))) {
    if (!(await isOfOtherVersion(folder))) await removeFolder(folder);
  }
}

function isOfOtherVersion(folder: string): Promise<boolean> {
  return readTrainerState(folder).then(
    () => false,
    (error) => error instanceof OtherVersionCheckpoint,
  );
}

/**
 * The refusal of a run that has no checkpoint to go on from.
 *
 * @param skipped sentences about what looks like one
 */
export function noCheckpoint(runFolder: string, skipped: readonly string[]): LorafaError {
  const wayOut = 'remove training.resume_from_checkpoint to start anew';
  return new LorafaError(
    'checkpoint.corrupt',
    skipped.length === 0
      ? `There is no checkpoint in ${runFolder} to resume from; ${wayOut}.`
      : `There is no checkpoint in ${runFolder} to resume from and no record of a run; choose another training.output_dir and ${wayOut}. ${skipped[0]}`,
    { location: { file: runFolder } },
  );
}
