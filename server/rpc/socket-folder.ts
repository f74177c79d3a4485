import { lstat, mkdir, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { LorafaError } from '../../engine/errors.ts';

/** Bytes that the path of a socket may have: 104 with its end on macOS, 108 on Linux. */
const MAX_PATH_BYTES = 100;

/** Room for the name of a socket in such a path. */
const NAME_BYTES = 28;

/**
 * Where the sockets of this user may lie, the preferred place first. The system's own folder for
 * temporary files comes before what the environment names: a run outlives the window, the session
 * and the environment that it was started in (`XDG_RUNTIME_DIR` is emptied when the user logs out),
 * and is to be found from all of them. The others are for where it cannot be used.
 */
export function socketFolders(): readonly string[] {
  const name = `lorafa-${process.getuid?.()}`;
  const runtime = process.env['XDG_RUNTIME_DIR'];
  const parents = ['/tmp', os.tmpdir(), ...(runtime === undefined ? [] : [runtime])];
  const folders = parents.filter(path.isAbsolute).map((parent) => path.join(parent, name));
  return [...new Set(folders)].filter(
    (folder) => Buffer.byteLength(folder) + 1 + NAME_BYTES <= MAX_PATH_BYTES,
  );
}

/**
 * The folder in which this process makes its socket; it exists then, and nobody but the user can
 * enter it.
 *
 * @throws LorafaError `output.not_writable` when none of the places can be used
 */
export async function ownSocketFolder(folders = socketFolders()): Promise<string> {
  for (const folder of folders) {
    await mkdir(folder, { mode: 0o700 }).catch(() => undefined);
    if (await isPrivate(folder)) return folder;
  }
  throw new LorafaError(
    'output.not_writable',
    `There is no private folder for the socket of a run: ${folders.join(', ')} cannot be made, or another user can write there; remove it, or set TMPDIR to a folder of your own with a short path.`,
  );
}

/** Those of the places that exist and that nobody but the user can have written to. */
export async function privateSocketFolders(): Promise<readonly string[]> {
  const folders = socketFolders();
  const checks = await Promise.all(folders.map(isPrivate));
  return folders.filter((_folder, index) => checks[index]);
}

/** A folder (not a link to one) of this user that only this user enters and nobody else replaces. */
async function isPrivate(folder: string): Promise<boolean> {
  const uid = process.getuid?.();
  try {
    const [found, parent] = [await lstat(folder), await stat(path.dirname(folder))];
    const isOwn = found.isDirectory() && found.uid === uid && (found.mode & 0o077) === 0;
    const isSticky = (parent.mode & 0o1000) !== 0;
    const isClosed = (parent.mode & 0o022) === 0 && (parent.uid === uid || parent.uid === 0);
    return isOwn && (isSticky || isClosed);
  } catch {
    return false;
  }
}
