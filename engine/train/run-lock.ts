import { randomBytes } from 'node:crypto';
import os from 'node:os';
import path from 'node:path';
import { LorafaError } from '../errors.ts';
import { createFile } from '../files/create-file.ts';
import { notWritable } from '../files/not-writable.ts';
import { beatFor } from '../locks/lock-beat.ts';
import { type LockHolder, readLockFile, stateOfHolder } from '../locks/lock-file.ts';
import { isHeldBy, removeIfHeldBy, takeLock } from '../locks/take-lock.ts';
import { ownMark } from '../process-mark.ts';
import { Lease, lostLock, markOfFolder, requireSameFolder, type WriteLock } from './write-lock.ts';

/** The file in a run folder that says which process may write there. */
export const LOCK_FILE = 'run.lock';

/** Path of the lock of a run folder. */
export function lockFileOf(folder: string): string {
  return path.join(folder, LOCK_FILE);
}

/** The right to write a run folder, which one process has at a time; see {@link takeLock}. */
export class RunLock implements WriteLock {
  readonly #folder: string;
  readonly #file: string;
  readonly #token: string;
  readonly #content: string;
  /** See {@link markOfFolder}. */
  readonly #mark: string | null | undefined;
  readonly #lease = new Lease();
  #stopBeat: () => void;

  private constructor(
    folder: string,
    token: string,
    content: string,
    mark: string | null | undefined,
  ) {
    this.#folder = folder;
    this.#file = lockFileOf(folder);
    this.#token = token;
    this.#content = content;
    this.#mark = mark;
    this.#stopBeat = beatFor(this.#file, token);
  }

  /**
   * Takes the lock of a run folder that exists; a lock whose process is gone is taken over. Where
   * nobody here can tell (another computer, another container), that takes some seconds.
   *
   * @throws LorafaError `output.in_use` while another process holds it, `output.not_writable`
   */
  static async acquire(folder: string): Promise<RunLock> {
    const file = lockFileOf(folder);
    const token = randomBytes(8).toString('hex');
    const content = `${JSON.stringify({ ...(await ownMark()), token })}\n`;
    try {
      // Without hard links two processes may think that they made the file.
      if ((await takeLock(file, content)) && (await isHeldBy(file, token))) {
        return new RunLock(folder, token, content, await markOfFolder(folder));
      }
    } catch (error) {
      await removeIfHeldBy(file, token).catch(() => undefined);
      throw notWritable(file, error);
    }
    throw inUse(folder, (await readLockFile(file).catch(() => undefined))?.holder);
  }

  async verify(): Promise<void> {
    if (this.#lease.isValid()) return;
    try {
      const found = await readLockFile(this.#file);
      if (found === undefined) await this.#makeAgain();
      else if (found.holder?.token !== this.#token) throw lostLock(this.#folder);
    } catch (error) {
      if (error instanceof LorafaError) throw error;
      // A lock that cannot be read just now is no sign that somebody took it.
    }
    this.#lease.renew();
  }

  async release(): Promise<void> {
    this.#stopBeat();
    await removeIfHeldBy(this.#file, this.#token);
  }

  /** Like {@link release}, after the folder was given another name. */
  async releaseAt(folder: string): Promise<void> {
    this.#stopBeat();
    await removeIfHeldBy(lockFileOf(folder), this.#token);
  }

  /** Somebody has removed the file by hand; unless the folder was taken since, it is still ours. */
  async #makeAgain(): Promise<void> {
    await requireSameFolder(this.#folder, this.#mark);
    if (!(await createFile(this.#file, this.#content))) throw lostLock(this.#folder);
    this.#stopBeat();
    this.#stopBeat = beatFor(this.#file, this.#token);
  }
}

/**
 * The process that holds the lock of a run folder; undefined when nobody does: there is no lock, or
 * its process is gone, or it is out of sight (another computer, another container) and silent.
 */
export async function readLock(folder: string): Promise<LockHolder | undefined> {
  const found = await readLockFile(lockFileOf(folder)).catch(() => undefined);
  if (found === undefined) return undefined;
  const state = await stateOfHolder(found);
  return state === 'alive' || state === 'beating' ? found.holder : undefined;
}

/** The error for a run folder whose lock `holder` has, as far as that is known. */
export function inUse(folder: string, holder: LockHolder | undefined): LorafaError {
  const isElsewhere = holder !== undefined && holder.host !== os.hostname();
  const problem = isElsewhere
    ? `is in use by a run on the computer ${holder.host} (process ${holder.pid}); wait for its end, or remove ${lockFileOf(folder)} if that run is gone`
    : `is in use by another run${holder === undefined ? '' : ` (process ${holder.pid})`}; stop that run, or choose another training.output_dir`;
  return new LorafaError('output.in_use', `${folder} ${problem}.`, { location: { file: folder } });
}
