import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { writeFileAtomic } from '../files/atomic-file.ts';
import { createFile } from '../files/create-file.ts';
import { removeFolder } from '../files/remove.ts';
import {
  isUnchanged,
  LOCK_BEAT_MS,
  type LockFile,
  readLockFile,
  stateOfHolder,
} from './lock-file.ts';

/** How long a silent lock is watched before it is taken over: a live holder beats in that time. */
const WATCH_MS = 3 * LOCK_BEAT_MS;

/** The same for a file without content, which the process that makes it fills at once. */
const WATCH_UNREADABLE_MS = 1000;

const LOOK_MS = 200;

/**
 * Makes a lock, or puts it in the place of one that nobody holds; of many processes that try at
 * once one succeeds.
 *
 * A lock appears with its content, by a hard link where the file system has them, and never by
 * overwriting. One that nobody holds any more is replaced in one step, by the process that holds a
 * second lock for that and has looked again under it: so the first is never absent meanwhile, and
 * nobody replaces the lock of the one who came before.
 *
 * @param content what the lock is to hold
 * @returns whether it did
 * @throws LorafaError `output.not_writable`; Node's own error where a lock cannot be read
 */
export async function takeLock(file: string, content: string): Promise<boolean> {
  if (await createFile(file, content)) return true;
  const found = await readLockFile(file);
  // It was let go just now.
  if (found === undefined) return createFile(file, content);
  if (!(await isAbandoned(file, found))) return false;
  const guard = guardOf(file);
  if (!(await takeLock(guard, content))) return false;
  try {
    const now = await readLockFile(file);
    if (now === undefined) return await createFile(file, content);
    if (!isUnchanged(found, now)) return false;
    await writeFileAtomic(file, content);
    return true;
  } finally {
    // One that stays goes with the lock, or is as stale as this process, once that has ended.
    await removeFolder(guard).catch(() => undefined);
  }
}

/** The lock that whoever replaces a lock holds meanwhile. */
function guardOf(file: string): string {
  return path.join(path.dirname(file), `.${path.basename(file)}.next.tmp`);
}

/** Whether nobody holds a lock; a silent one is watched for a while. */
async function isAbandoned(file: string, found: LockFile): Promise<boolean> {
  const state = await stateOfHolder(found);
  if (state !== 'silent') return state === 'gone';
  const patience = found.holder === undefined ? WATCH_UNREADABLE_MS : WATCH_MS;
  const start = performance.now();
  for (;;) {
    // The last look comes after the time is up: it may be this process that was halted meanwhile.
    const isOver = performance.now() - start >= patience;
    const now = await readLockFile(file);
    if (now === undefined || !isUnchanged(found, now)) return false;
    if (isOver) return true;
    await delay(LOOK_MS);
  }
}

/** Whether a lock is the one with this token. */
export async function isHeldBy(file: string, token: string): Promise<boolean> {
  return (await readLockFile(file))?.holder?.token === token;
}

/** Lets go of a lock, unless it is another one by now, and of what could not be removed when it was taken. */
export async function removeIfHeldBy(file: string, token: string): Promise<void> {
  if (!(await isHeldBy(file, token))) return;
  await removeFolder(file);
  await removeIfHeldBy(guardOf(file), token);
}
