import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { ResolvedConfig } from '../config/schema.ts';
import { LorafaError } from '../errors.ts';
import { ensureFolder, Journal, notWritable, writeFileAtomic } from '../files.ts';
import type { TrainEvent } from './events.ts';

/** Names inside a run folder. The folder is the truth: all that is shown of a run comes from it. */
export const RUN_FILES = {
  /** The resolved configuration that the run really uses. */
  config: 'run.json',
  /** One {@link JournalEntry} a line, only ever appended to. */
  journal: 'events.jsonl',
} as const;

/** One line of the journal. */
export type JournalEntry = TrainEvent & {
  /** ISO 8601 */
  readonly time: string;
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

  private constructor(folder: string, journal: Journal) {
    this.path = folder;
    this.#journal = journal;
  }

  /**
   * Takes an output folder into use: makes it, or goes on in one that an earlier part of the same
   * run left behind.
   *
   * @param resuming whether the run goes on from a checkpoint
   * @throws LorafaError `output.not_writable` when the folder cannot be written, holds something
   * else, or holds a run and nothing says to resume it
   */
  static async open(config: ResolvedConfig, resuming: boolean): Promise<RunFolder> {
    const folder = config.training.output_dir;
    await refuseOccupied(folder, resuming);
    await ensureFolder(folder);
    const record: RunRecord = { version: 1, config };
    await writeFileAtomic(
      path.join(folder, RUN_FILES.config),
      `${JSON.stringify(record, null, 2)}\n`,
    );
    return new RunFolder(folder, await Journal.open(path.join(folder, RUN_FILES.journal)));
  }

  /** Keeps an event for those who open the run later. */
  async record(event: TrainEvent): Promise<void> {
    const entry: JournalEntry = { time: new Date().toISOString(), ...event };
    await this.#journal.append(JSON.stringify(entry));
  }

  async close(): Promise<void> {
    await this.#journal.sync();
    await this.#journal.close();
  }
}

async function refuseOccupied(folder: string, resuming: boolean): Promise<void> {
  const names = await listFolder(folder);
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
