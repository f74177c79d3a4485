import { constants, type Stats } from 'node:fs';
import { type FileHandle, lstat, open } from 'node:fs/promises';

/** Windows has neither flag; there {@link openPlainFile} relies on looking first. */
const { O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants;

/** Something that is not a file of its own has the name of a file: a link, a pipe, a device, … */
export class NotAPlainFile extends Error {
  constructor(found: Stats) {
    super(`${kindOf(found)} is in its place`);
  }
}

/**
 * Opens a file in a folder that others may have written: what has its name must be a file, not a
 * link that leads elsewhere, and not a pipe or device that would take what is written or never
 * answer.
 *
 * @param flags as of open(2), for instance `O_RDONLY`
 * @throws NotAPlainFile; otherwise Node's own error
 */
export async function openPlainFile(target: string, flags: number): Promise<FileHandle> {
  // Opening a device can have effects, so it is looked at before as well as after.
  const before = await lstat(target).catch(() => undefined);
  if (before?.isFile() === false) throw new NotAPlainFile(before);
  const handle = await open(target, flags | O_NOFOLLOW | O_NONBLOCK);
  try {
    const found = await handle.stat();
    if (!found.isFile()) throw new NotAPlainFile(found);
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

function kindOf(found: Stats): string {
  if (found.isSymbolicLink()) return 'a link';
  if (found.isDirectory()) return 'a folder';
  if (found.isFIFO()) return 'a pipe';
  return found.isSocket() ? 'a socket' : 'a device';
}
