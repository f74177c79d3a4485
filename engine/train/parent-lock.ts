import { type LockHolder, readLockFile } from '../locks/lock-file.ts';
import { inUse, lockFileOf } from './run-lock.ts';
import { Lease, lostLock, markOfFolder, requireSameFolder, type WriteLock } from './write-lock.ts';

/** The right to write a run folder whose lock the parent process holds. */
export class ParentLock implements WriteLock {
  readonly #folder: string;
  readonly #parent: number;
  readonly #token: string | undefined;
  /** See {@link markOfFolder}. */
  readonly #mark: string | null | undefined;
  readonly #lease = new Lease();

  private constructor(folder: string, { pid, token }: LockHolder, mark: string | null | undefined) {
    this.#folder = folder;
    this.#parent = pid;
    this.#token = token;
    this.#mark = mark;
  }

  /** Throws LorafaError `output.in_use` unless the parent of this process holds the lock. */
  static async open(folder: string): Promise<ParentLock> {
    const holder = (await readLockFile(lockFileOf(folder)))?.holder;
    if (holder?.pid !== process.ppid) throw inUse(folder, holder);
    return new ParentLock(folder, holder, await markOfFolder(folder));
  }

  async verify(): Promise<void> {
    // An orphan has no lock, and hears of its parent's end only when its event loop turns.
    if (process.ppid !== this.#parent) throw lostLock(this.#folder);
    if (this.#lease.isValid()) return;
    // One that is missing or cannot be read was taken by nobody; to mend that is the parent's part.
    const found = await readLockFile(lockFileOf(this.#folder)).catch(() => undefined);
    if (found === undefined) await requireSameFolder(this.#folder, this.#mark);
    else if (found.holder?.token !== this.#token) throw lostLock(this.#folder);
    this.#lease.renew();
  }

  /** The parent does that. */
  async release(): Promise<void> {}
}
