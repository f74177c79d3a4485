import { lstat } from 'node:fs/promises';
import path from 'node:path';
import { LorafaError } from '../../engine/errors.ts';
import { moveFolder } from '../../engine/files/folders.ts';
import { RunLock } from '../../engine/train/run-lock.ts';
import { requireEndedRun } from './delete-run.ts';

/** What the name of a folder may not hold: separators, and what some file systems refuse. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
const FORBIDDEN = /[/\\:*?"<>|\u0000-\u001f]|^\.|[. ]$/;

/**
 * Gives the folder of a run that has ended another name beside where it lies. What is stored in it
 * is read where it lies, so that nothing in it changes.
 *
 * @returns the new path
 * @throws LorafaError `usage.invalid` for a name that cannot be one or is taken, and as `deleteRun`
 */
export async function renameRun(folder: string, name: string): Promise<string> {
  if (FORBIDDEN.test(name) || name.length > 200) {
    throw new LorafaError(
      'usage.invalid',
      `"${name}" cannot be the name of a folder; leave out slashes, colons and quotes, and a dot at its ends.`,
    );
  }
  await requireEndedRun(folder);
  const target = path.join(path.dirname(folder), name);
  if (await isTaken(target)) {
    throw new LorafaError(
      'usage.invalid',
      `There is something of the name "${name}" beside ${folder} already; choose another name.`,
    );
  }
  const lock = await RunLock.acquire(folder);
  let where = folder;
  try {
    await moveFolder(folder, target);
    where = target;
  } finally {
    await lock.releaseAt(where);
  }
  return target;
}

function isTaken(target: string): Promise<boolean> {
  return lstat(target).then(
    () => true,
    () => false,
  );
}
