import { readFile, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import { LorafaError } from '../errors.ts';
import { createFile, moveFile, removeFolder } from '../files.ts';

/** The file in a run folder that says which process may write there. */
export const LOCK_FILE = 'run.lock';

/** Age from which a lock that cannot be read is not one that is just being written. */
const UNREADABLE_STALE_MS = 10_000;

const lockSchema = z.object({
  pid: z.int().positive(),
  host: z.string(),
  /** When the process started, in the system's own measure: tells it from a later one of its id. */
  started: z.nullable(z.string()),
});

/** The process that holds a lock. */
export type LockHolder = Readonly<z.infer<typeof lockSchema>>;

/** The right to write a run folder, which one process has at a time. */
export class RunLock {
  readonly #file: string;

  private constructor(file: string) {
    this.#file = file;
  }

  /**
   * Takes the lock of a run folder that exists; a lock whose process is gone is taken over.
   *
   * @throws LorafaError `output.in_use` while another process holds it, `output.not_writable`
   */
  static async acquire(folder: string): Promise<RunLock> {
    const file = path.join(folder, LOCK_FILE);
    const self: LockHolder = {
      pid: process.pid,
      host: os.hostname(),
      started: await processStart(process.pid),
    };
    const content = `${JSON.stringify(self)}\n`;
    if (await createFile(file, content)) return new RunLock(file);
    const holder = await readLock(folder);
    if (holder !== undefined) throw inUse(folder, file, holder);
    await removeStale(file);
    if (await createFile(file, content)) return new RunLock(file);
    throw inUse(folder, file, await readLock(folder));
  }

  /** Lets others write the folder. */
  async release(): Promise<void> {
    await removeFolder(this.#file);
  }
}

/**
 * The process that holds the lock of a run folder; undefined when nobody does, be it that there is
 * no lock or that its process is gone. On another computer nobody can tell, so it counts as held.
 */
export function readLock(folder: string): Promise<LockHolder | undefined> {
  return readHolder(path.join(folder, LOCK_FILE));
}

/** Stands for a process that has made its lock and not yet written it. */
const UNKNOWN_HOLDER: LockHolder = { pid: 0, host: '', started: null };

async function readHolder(file: string): Promise<LockHolder | undefined> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const holder = lockSchema.safeParse(parseJson(text));
  if (!holder.success) return (await isYoung(file)) ? UNKNOWN_HOLDER : undefined;
  const { pid, host, started } = holder.data;
  if (host !== os.hostname()) return holder.data;
  return (await isSameProcess(pid, started)) ? holder.data : undefined;
}

/**
 * Moves a stale lock aside before it goes. Another process may have done the same and taken the
 * lock meanwhile; then what was moved is its lock, and it is put back.
 */
async function removeStale(file: string): Promise<void> {
  const aside = path.join(path.dirname(file), `.${LOCK_FILE}.${process.pid}.tmp`);
  // The other process may also have moved it away already.
  await moveFile(file, aside).catch(() => undefined);
  if ((await readHolder(aside)) !== undefined) await moveFile(aside, file);
  else await removeFolder(aside);
}

/** Whether a process of this id runs and is the one that started then. */
async function isSameProcess(pid: number, started: string | null): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it is there, but belongs to someone else.
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code !== 'EPERM') return false;
  }
  const fields = await processFields(pid);
  // Nobody has asked yet how it ended, but it did.
  if (fields?.[0] === 'Z') return false;
  const current = fields?.[19];
  return started === null || current === undefined || current === started;
}

/** Linux: clock ticks between the start of the system and that of the process. Elsewhere null. */
async function processStart(pid: number): Promise<string | null> {
  return (await processFields(pid))?.[19] ?? null;
}

/** Linux: the fields of /proc/PID/stat from the third (the state) on. */
async function processFields(pid: number): Promise<readonly string[] | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  // The second field, the program's name in parentheses, may itself hold spaces and parentheses.
  return text?.slice(text.lastIndexOf(')') + 2).split(' ');
}

async function isYoung(file: string): Promise<boolean> {
  const found = await stat(file).catch(() => undefined);
  return found !== undefined && Date.now() - found.mtimeMs < UNREADABLE_STALE_MS;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function inUse(folder: string, file: string, holder: LockHolder | undefined): LorafaError {
  const elsewhere = holder !== undefined && holder.host !== '' && holder.host !== os.hostname();
  const problem = elsewhere
    ? `is in use by a run on the computer ${holder.host} (process ${holder.pid}); wait for its end, or remove ${file} if that run is gone`
    : `is in use by another run${holder === undefined || holder.pid === 0 ? '' : ` (process ${holder.pid})`}; stop that run, or choose another training.output_dir`;
  return new LorafaError('output.in_use', `${folder} ${problem}.`, { location: { file: folder } });
}
