import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { createFile } from '../files/create-file.ts';
import { ensureFolder } from '../files/folders.ts';
import { advanceTime, removeFolder, removeNow, sweepTemporaries } from '../files/remove.ts';
import { beatFor } from '../locks/lock-beat.ts';
import { type LockFile, readLockFile, stateOfHolder } from '../locks/lock-file.ts';
import { ownMark } from '../process-mark.ts';

/*
 * Who uses a file of the weight cache: each process puts a mark beside the cached files, made as the
 * lock of a run folder is, and takes it away when it ends. So it holds for other computers and
 * containers, too. The mark of a process that was killed counts for nothing, and goes with the next
 * who looks.
 */

/** A mark that nobody here can look up, and that says nothing, is kept for so long. */
const FORGOTTEN_MS = 24 * 3_600_000;

/** The making of this process's marks, by the files that they are of. */
const made = new Map<string, Promise<void>>();

/** Marks of this process. */
const own: string[] = [];

process.on('exit', () => {
  for (const mark of own) removeNow(mark);
});

/**
 * Says that this process uses a cached file, from before it looks for it until it ends, and that it
 * was used now. Where nothing can be written nothing is said, nor removed by others.
 */
export async function markUse(file: string): Promise<void> {
  const making = made.get(file) ?? makeMark(file);
  made.set(file, making);
  await making;
  await advanceTime(file, Date.now());
}

async function makeMark(file: string): Promise<void> {
  const token = randomBytes(8).toString('hex');
  const mark = path.join(folderOf(file), `${prefixOf(file)}${token}.json`);
  try {
    await isInUse(file);
    await ensureFolder(path.dirname(mark));
    await sweepTemporaries(path.dirname(mark));
    own.push(mark);
    await createFile(mark, `${JSON.stringify({ ...(await ownMark()), token })}\n`);
    beatFor(mark, token);
  } catch {
    // As said above.
  }
}

/**
 * Whether a process uses a cached file. A mark of one that is gone is removed; until when it was
 * there becomes the time of the file.
 */
export async function isInUse(file: string): Promise<boolean> {
  let isUsed = false;
  for (const name of await readdir(folderOf(file)).catch(() => [])) {
    if (!name.startsWith(prefixOf(file))) continue;
    const mark = path.join(folderOf(file), name);
    const lock = await readLockFile(mark).catch(() => null);
    if (lock === undefined) continue;
    // One that cannot be read belongs to another user.
    const state = lock && (await stateOfHolder(lock));
    if (lock === null || state === 'alive' || state === 'beating') isUsed = true;
    else if (state === 'gone' || isForgotten(lock)) {
      await advanceTime(file, lock.beat);
      await removeFolder(mark).catch(() => undefined);
    }
  }
  return isUsed;
}

function isForgotten({ beat }: LockFile): boolean {
  return Math.abs(Date.now() - beat) > FORGOTTEN_MS;
}

/** All marks of a cache lie in one folder beside those of the weights. */
function folderOf(file: string): string {
  return path.join(path.dirname(path.dirname(file)), 'in-use');
}

/** Of a file's name only the key at its end, which is enough: names of models may be long. */
function prefixOf(file: string): string {
  const key = path.basename(file, '.safetensors').slice(-16);
  return `${path.basename(path.dirname(file))}-${key}.`;
}
