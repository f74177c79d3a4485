import { rmSync } from 'node:fs';
import { lstat, readdir, rename, rm, rmdir, stat, unlink, utimes } from 'node:fs/promises';
import path from 'node:path';
import { isOwnerRunning } from '../process-mark.ts';
import { explained } from './not-writable.ts';
import { TEMPORARY, temporaryName } from './temporary-name.ts';

/**
 * Removes a folder or file and all it contains; one that does not exist is fine. A folder loses its
 * name before anything in it goes, so that at no moment a part of it stands under that name.
 *
 * @throws LorafaError `output.not_writable`.
 */
export async function removeFolder(folder: string): Promise<void> {
  await explained(folder, async () => {
    const found = await lstat(folder).catch(unlessMissing);
    if (found === undefined) return;
    if (!found.isDirectory()) return unlink(folder).catch(unlessMissing);
    const aside = temporaryName(folder);
    await rename(folder, aside);
    await rm(aside, { recursive: true, force: true });
  });
}

/**
 * Removes a file, unless it turns out to be wanted. It loses its name first, so that who comes to
 * want it meanwhile finds all of it or nothing, and gets it back where it is wanted.
 *
 * @returns whether it was removed
 * @throws LorafaError `output.not_writable`.
 */
export async function removeFileUnless(
  file: string,
  isWanted: () => Promise<boolean>,
): Promise<boolean> {
  return explained(file, async () => {
    const aside = temporaryName(file);
    const isThere = await rename(file, aside).then(() => true, unlessMissing);
    if (isThere === undefined) return false;
    const isKept = await isWanted();
    if (isKept) await rename(aside, file);
    else await unlink(aside);
    return !isKept;
  });
}

/** Removes a file or folder before anything else happens in this process, which is at its end; one that stays is no harm. */
export function removeNow(place: string): void {
  try {
    rmSync(place, { recursive: true, force: true });
  } catch {
    // As said above.
  }
}

/**
 * Gives a file a later time of modification, where that can be done.
 *
 * @param time in milliseconds since 1970
 */
export async function advanceTime(file: string, time: number): Promise<void> {
  const found = await stat(file).catch(() => undefined);
  if (found === undefined || found.mtimeMs >= time) return;
  await utimes(file, time / 1000, time / 1000).catch(() => undefined);
}

/**
 * Removes from a folder what processes that are gone left unfinished in it: files that were being
 * written and folders that were being removed. What cannot be removed stays.
 *
 * @param minAgeMs how long nobody may have touched it, for folders in which processes of other
 * computers or containers write, whose ids mean nothing here
 */
export async function sweepTemporaries(folder: string, minAgeMs = 0): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const owner = TEMPORARY.exec(name)?.[1];
    if (owner === undefined || (await isOwnerRunning(owner))) continue;
    const file = path.join(folder, name);
    const touched = await lstat(file).catch(() => undefined);
    if (touched === undefined || Date.now() - touched.mtimeMs < minAgeMs) continue;
    await rm(file, { recursive: true, force: true }).catch(() => undefined);
  }
}

export function unlessMissing(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
  throw error;
}

/**
 * Removes a folder that holds nothing.
 *
 * @returns whether it did; not where it holds something
 * @throws LorafaError `output.not_writable`.
 */
export async function removeEmptyFolder(folder: string): Promise<boolean> {
  return explained(folder, async () => {
    try {
      await rmdir(folder);
      return true;
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : '';
      if (code === 'ENOTEMPTY' || code === 'EEXIST') return false;
      throw error;
    }
  });
}
