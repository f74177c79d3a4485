import { lstat } from 'node:fs/promises';
import path from 'node:path';
import { LorafaError } from '../../engine/errors.ts';
import { isCheckpointName } from '../../engine/train/checkpoint-folders.ts';

/** That there is no folder of an adapter any more, and why as far as one sees, as `adapter.not_found`. */
export async function goneAdapter(folder: string): Promise<LorafaError> {
  return new LorafaError('adapter.not_found', await problemOf(folder), {
    location: { file: folder },
  });
}

async function problemOf(folder: string): Promise<string> {
  const name = path.basename(folder);
  const parent = path.dirname(folder);
  if (!(await isThere(parent))) {
    return `${name} is not there any more: the folder that it lay in, ${parent}, was deleted, moved or renamed.`;
  }
  return isCheckpointName(name)
    ? `${name} of ${path.basename(parent)} is not there any more: the run’s save_total_limit took it, or somebody by hand.`
    : `The adapter ${name} is not there any more: it was deleted, moved or renamed.`;
}

/**
 * Works with an adapter, which may go at any time.
 *
 * @throws {@link goneAdapter} where that is why `action` fails, and otherwise what it throws
 */
export async function whileThere<T>(folder: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw (await isThere(folder)) ? error : await goneAdapter(folder);
  }
}

function isThere(folder: string): Promise<boolean> {
  return lstat(folder).then(
    () => true,
    () => false,
  );
}
