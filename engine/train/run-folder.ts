import { readdir, realpath } from 'node:fs/promises';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { LorafaError } from '../errors.ts';
import { ensureFolder, Journal, notWritable, removeFolder, sweepTemporaries } from '../files.ts';
import { STAGING_FOLDER } from '../lora/save-adapter.ts';
import { isCheckpointName, isPartialCheckpoint } from './checkpoint-folders.ts';
import type { TrainEvent } from './events.ts';
import type { JournalEntry } from './journal-entry.ts';
import type { Lineage } from './lineage.ts';
import { ParentLock } from './parent-lock.ts';
import { EXAMPLES_FILE } from './run-examples.ts';
import { LOCK_FILE, RunLock } from './run-lock.ts';
import { RECORD_FILE, type RunRecord, readLineage, writeRunRecord } from './run-record.ts';
import { readTrainerState } from './trainer-state.ts';
import type { WriteLock } from './write-lock.ts';

/** Names inside a run folder. The folder is the truth: all that is shown of a run comes from it. */
export const RUN_FILES = {
  /** The resolved configuration that the run really uses; see {@link RunRecord}. */
  config: RECORD_FILE,
  /** One {@link JournalEntry} a line, only ever appended to. */
  journal: 'events.jsonl',
  /** What its model was trained on, and can be tried on; see `run-examples.ts`. */
  examples: EXAMPLES_FILE,
  /** Where a run in a process of its own stands (`server/runs/state-file.ts`). */
  state: 'state.json',
  /** What that process and its libraries have to say, one message a line. */
  log: 'run.log',
  /** Which process may write here; see {@link RunLock}. */
  lock: LOCK_FILE,
} as const;

/** Files that may be there before the run itself takes the folder into use. */
const EARLY_FILES: ReadonlySet<string> = new Set([RUN_FILES.state, RUN_FILES.log, RUN_FILES.lock]);

/** Files that a run has before there is anything of it worth keeping. */
const BARE_FILES: ReadonlySet<string> = new Set(Object.values(RUN_FILES));

/** What is being written or removed, or was when a process ended. */
function isUnfinished(name: string): boolean {
  return /^\..*\.tmp$/.test(name) || isPartialCheckpoint(name);
}

/** How a run folder is taken into use. */
export interface OpenOptions {
  /**
   * Whether the caller's parent process holds the folder's lock; otherwise it is taken, until the
   * folder is closed.
   */
  readonly isLocked: boolean;
  /** The lineage in the folder by which the caller decided where to begin; undefined for none. */
  readonly way: Lineage | undefined;
}

/** An output folder that belongs to one run. */
export class RunFolder {
  readonly path: string;
  readonly #journal: Journal;
  readonly #lock: WriteLock;

  private constructor(folder: string, journal: Journal, lock: WriteLock) {
    this.path = folder;
    this.#journal = journal;
    this.#lock = lock;
  }

  /**
   * Takes an output folder into use: makes it, or goes on in one that an earlier part of the same
   * run left behind, of which all goes that was not finished.
   *
   * @throws LorafaError `output.not_writable` when the folder cannot be written, holds something
   * else, or holds a run and nothing says to resume it; `output.in_use`, also when another process
   * has gone on with the run since the caller looked
   */
  static async open(record: RunRecord, { isLocked, way }: OpenOptions): Promise<RunFolder> {
    const { output_dir: folder, resume_from_checkpoint: resumed } = record.config.training;
    await refuseOccupied(folder, resumed);
    await ensureFolder(folder);
    const lock = await (isLocked ? ParentLock.open(folder) : RunLock.acquire(folder));
    try {
      await requireUnchanged(folder, way);
      await sweepUnfinished(folder);
      await writeRunRecord(folder, record);
      const journal = await Journal.open(path.join(folder, RUN_FILES.journal));
      // It tells of an earlier part of the run, whose state is not this one's. Until here it is all
      // that there may be of the run, which must be listed whenever this process ends.
      if (!isLocked) await removeFolder(path.join(folder, RUN_FILES.state));
      return new RunFolder(folder, journal, lock);
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  /** To be called before a write: throws LorafaError `output.in_use` once another run has the folder. */
  verify(): Promise<void> {
    return this.#lock.verify();
  }

  /** Keeps an event for those who open the run later. */
  async record(event: TrainEvent): Promise<void> {
    await this.verify();
    await this.#journal.append(journalLine(event));
  }

  /** Like {@link record}, as the last thing before the process ends; a full disk takes no note of it. */
  recordNow(event: TrainEvent): void {
    try {
      this.#journal.appendNow(journalLine(event));
    } catch {
      // The process ends all the same, and says why itself.
    }
  }

  async close(): Promise<void> {
    await this.#journal.sync();
    await this.#journal.close();
    await this.#lock.release();
  }
}

function journalLine(event: TrainEvent): string {
  const entry: JournalEntry = {
    time: new Date().toISOString(),
    ...event,
    ...(event.type === 'step' && { memory: process.memoryUsage.rss() }),
  };
  return JSON.stringify(entry);
}

/** Who looked at a run before they had its lock may have seen what is over by now. */
async function requireUnchanged(folder: string, way: Lineage | undefined): Promise<void> {
  if (isDeepStrictEqual(await readLineage(folder), way)) return;
  throw new LorafaError(
    'output.in_use',
    `Another process went on with the run in ${folder} meanwhile; try again to go on from where it is now.`,
    { location: { file: folder } },
  );
}

/** Removes what processes that are gone left unfinished; who calls it holds the lock. */
async function sweepUnfinished(folder: string): Promise<void> {
  await sweepTemporaries(folder);
  await removeFolder(path.join(folder, STAGING_FOLDER));
  for (const name of (await listFolder(folder)).filter(isPartialCheckpoint)) {
    await removeFolder(path.join(folder, name));
  }
}

/**
 * Makes sure that a run may use an output folder: it is empty or new, holds a run that is to go on,
 * or one that ended before there was anything of it to keep.
 *
 * @param resumed the checkpoint that the run goes on from, or `latest`; undefined for a new run
 * @throws LorafaError `output.not_writable`; `checkpoint.corrupt` where it cannot be told whether
 * the run that is there is that of the checkpoint
 */
export async function refuseOccupied(folder: string, resumed: string | undefined): Promise<void> {
  const names = (await listFolder(folder)).filter((name) => !isUnfinished(name));
  const others = names.filter((name) => !EARLY_FILES.has(name));
  if (others.length === 0) return;
  const isRun = names.includes(RUN_FILES.config) || names.some(isCheckpointName);
  if (isRun && names.every((name) => BARE_FILES.has(name))) return;
  if (isRun && resumed !== undefined && (await isOfRun(resumed, folder))) return;
  const whichRun =
    resumed === undefined ? 'a run already' : `a run already, which is not that of ${resumed}`;
  const problem = isRun
    ? `holds ${whichRun}; choose another training.output_dir, or go on with that run by training.resume_from_checkpoint "latest"`
    : `holds other files (${others.slice(0, 3).join(', ')}…); choose an empty or new folder as training.output_dir`;
  throw new LorafaError('output.not_writable', `${folder} ${problem}.`, {
    location: { file: folder },
  });
}

/** Whether a checkpoint is one of the run in a folder, or of another copy of it. */
async function isOfRun(checkpoint: string, folder: string): Promise<boolean> {
  if (checkpoint === 'latest') return true;
  const [own, parent] = await Promise.all(
    [folder, path.dirname(checkpoint)].map((name) => realpath(name).catch(() => name)),
  );
  if (own === parent) return true;
  const { state } = await readTrainerState(checkpoint);
  const way = await readLineage(folder);
  return way !== undefined && way[0]!.session === state.lineage[0]!.session;
}

async function listFolder(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw notWritable(folder, error);
  }
}
