import { constants, type Stats } from 'node:fs';
import { type FileHandle, lstat, open, stat } from 'node:fs/promises';

/** Windows has neither flag; there {@link openPlainFile} relies on looking first. */
const { O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants;

/** Whether a symbolic link under the name of a file is followed. */
export type LinkRule = 'follow' | 'refuse';

/** Something that is not a file of its own has the name of a file: a link, a pipe, a device, … */
export class NotAPlainFile extends Error {
  readonly isFolder: boolean;

  constructor(found: Stats) {
    super(`${kindOf(found)} is in its place`);
    this.isFolder = found.isDirectory();
  }
}

/**
 * Opens a file in a folder that others may have written: what has its name must be a file, not a
 * link that leads elsewhere, and not a pipe or device that would take what is written or never
 * answer.
 *
 * @param flags as of open(2), for instance `O_RDONLY`
 * @param links `follow` for what a person may have linked to where it lies, such as a model
 * @throws NotAPlainFile; otherwise Node's own error
 */
export async function openPlainFile(
  target: string,
  flags: number,
  links: LinkRule = 'refuse',
): Promise<FileHandle> {
  // Opening a device can have effects, so it is looked at before as well as after.
  const look = links === 'refuse' ? lstat : stat;
  const before = await look(target).catch(() => undefined);
  if (before?.isFile() === false) throw new NotAPlainFile(before);
  const followed = links === 'refuse' ? O_NOFOLLOW : 0;
  const handle = await open(target, flags | followed | O_NONBLOCK);
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
