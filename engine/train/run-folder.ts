import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { ResolvedConfig } from '../config/schema.ts';
import { LorafaError } from '../errors.ts';
import { ensureFolder, Journal, notWritable, removeFolder, writeFileAtomic } from '../files.ts';
import type { TrainEvent } from './events.ts';
import { ParentLock } from './parent-lock.ts';
import { LOCK_FILE, RunLock } from './run-lock.ts';
import type { WriteLock } from './write-lock.ts';

/** Names inside a run folder. The folder is the truth: all that is shown of a run comes from it. */
export const RUN_FILES = {
  /** The resolved configuration that the run really uses. */
  config: 'run.json',
  /** One {@link JournalEntry} a line, only ever appended to. */
  journal: 'events.jsonl',
  /** Where a run in a process of its own stands (`server/runs/state-file.ts`). */
  state: 'state.json',
  /** What that process and its libraries have to say, one message a line. */
  log: 'run.log',
  /** Which process may write here; see {@link RunLock}. */
  lock: LOCK_FILE,
} as const;

/** Files that may be there before the run itself takes the folder into use. */
const EARLY_FILES: ReadonlySet<string> = new Set([RUN_FILES.state, RUN_FILES.log, RUN_FILES.lock]);

/** A file that is being written, or was when a process ended. */
const UNFINISHED = /^\..*\.tmp$/;

/** One line of the journal. */
export type JournalEntry = TrainEvent & {
  /** ISO 8601 */
  readonly time: string;
  /** With each step: memory of the computing process in bytes, without that of a GPU. */
  readonly memory?: number;
};

/** What `run.json` holds. */
export interface RunRecord {
  readonly version: 1;
  readonly config: ResolvedConfig;
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
   * run left behind.
   *
   * @param resuming whether the run goes on from a checkpoint
   * @param isLocked whether the caller's parent process holds the folder's lock; otherwise it is
   * taken here, until {@link close}
   * @throws LorafaError `output.not_writable` when the folder cannot be written, holds something
   * else, or holds a run and nothing says to resume it; `output.in_use`
   */
  static async open(
    config: ResolvedConfig,
    resuming: boolean,
    isLocked = false,
  ): Promise<RunFolder> {
    const folder = config.training.output_dir;
    await refuseOccupied(folder, resuming);
    await ensureFolder(folder);
    const lock = await (isLocked ? ParentLock.open(folder) : RunLock.acquire(folder));
    try {
      // It tells of an earlier part of the run, whose state is not this one's.
      if (!isLocked) await removeFolder(path.join(folder, RUN_FILES.state));
      const record: RunRecord = { version: 1, config };
      await writeFileAtomic(
        path.join(folder, RUN_FILES.config),
        `${JSON.stringify(record, null, 2)}\n`,
      );
      const journal = await Journal.open(path.join(folder, RUN_FILES.journal));
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
    const entry: JournalEntry = {
      time: new Date().toISOString(),
      ...event,
      ...(event.type === 'step' && { memory: process.memoryUsage.rss() }),
    };
    await this.#journal.append(JSON.stringify(entry));
  }

  async close(): Promise<void> {
    await this.#journal.sync();
    await this.#journal.close();
    await this.#lock.release();
  }
}

/**
 * Makes sure that a run may use an output folder.
 *
 * @param resuming whether the run goes on from a checkpoint
 * @throws LorafaError `output.not_writable`
 */
export async function refuseOccupied(folder: string, resuming: boolean): Promise<void> {
  const names = (await listFolder(folder)).filter(
    (name) => !EARLY_FILES.has(name) && !UNFINISHED.test(name),
  );
  if (names.length === 0) return;
  const isRun = names.includes(RUN_FILES.config);
  if (isRun && resuming) return;
  const problem = isRun
    ? 'holds a run already; choose another training.output_dir, or go on with that run by training.resume_from_checkpoint "latest"'
    : `holds other files (${names.slice(0, 3).join(', ')}…); choose an empty or new folder as training.output_dir`;
  throw new LorafaError('output.not_writable', `${folder} ${problem}.`, {
    location: { file: folder },
  });
}

async function listFolder(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw notWritable(folder, error);
  }
}

/**
 * The configuration that a run folder was made with.
 *
 * @throws LorafaError `checkpoint.corrupt` when there is none
 */
export async function readRunRecord(folder: string): Promise<RunRecord> {
  const file = path.join(folder, RUN_FILES.config);
  try {
    return JSON.parse(await readFile(file, 'utf8')) as RunRecord;
  } catch (error) {
    throw new LorafaError(
      'checkpoint.corrupt',
      `${folder} is not the folder of a run: ${RUN_FILES.config} is missing or broken.`,
      { location: { file }, cause: error },
    );
  }
}
