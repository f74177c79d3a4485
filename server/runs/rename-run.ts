import { moveFolder } from '../../engine/files/folders.ts';
import { RunLock } from '../../engine/train/run-lock.ts';
import { requireEndedRun } from './delete-run.ts';
import { renamedPath, requireNotTaken } from './folder-name.ts';
import { requireNotOpen } from './require-not-open.ts';

/**
 * Gives the folder of a run that has ended another name beside where it lies. What is stored in it
 * is read where it lies, so that nothing in it changes.
 *
 * @param open folders that are open in the editor, which keep their paths
 * @returns the new path
 * @throws LorafaError `usage.invalid` for a name that cannot be one or is taken, and for a folder that is open or holds one that is; and as
 * `deleteRun`
 */
export async function renameRun(
  folder: string,
  name: string,
  open: readonly string[] = [],
): Promise<string> {
  const target = renamedPath(folder, name);
  requireNotOpen([folder], open);
  await requireEndedRun(folder);
  await requireNotTaken(target);
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
