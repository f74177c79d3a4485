import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { LorafaError } from '../errors.ts';
import { Journal } from '../files/append.ts';
import { ensureFolder } from '../files/folders.ts';
import { removeFolder, sweepTemporaries } from '../files/remove.ts';
import { STAGING_FOLDER } from '../lora/save-adapter.ts';
import { isPartialCheckpoint } from './checkpoint-folders.ts';
import type { StepEvent, TrainEvent } from './events.ts';
import type { JournalEntry } from './journal-entry.ts';
import type { Lineage } from './lineage.ts';
import { refuseOccupied } from './occupied-folder.ts';
import { ParentLock } from './parent-lock.ts';
import { RUN_FILES } from './run-files.ts';
import { RunLock } from './run-lock.ts';
import { type RunRecord, readLineage, writeRunRecord } from './run-record.ts';
import type { WriteLock } from './write-lock.ts';

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
    const { output_dir: folder } = record.config.training;
    await refuseOccupied(record.config);
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

/** An event as a line of the journal. */
export function journalLine(event: TrainEvent): string {
  const entry: JournalEntry = {
    time: new Date().toISOString(),
    ...event,
    ...(event.type === 'step' && { memory: process.memoryUsage.rss() + hostBytes(event) }),
  };
  return JSON.stringify(entry);
}

/** Memory of other processes that compute a run, as far as they do so on the CPU. */
function hostBytes({ ranks = [] }: StepEvent): number {
  return ranks.reduce((bytes, { device, memory }) => bytes + (device === 'cpu' ? memory : 0), 0);
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
  for (const name of (await readdir(folder)).filter(isPartialCheckpoint)) {
    await removeFolder(path.join(folder, name));
  }
}
