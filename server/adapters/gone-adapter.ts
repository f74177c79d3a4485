import { lstat } from 'node:fs/promises';
import path from 'node:path';
import { LorafaError } from '../../engine/errors.ts';
import { isCheckpointName } from '../../engine/train/checkpoint-folders.ts';

/** That there is no folder of an adapter any more, as `adapter.not_found`. */
export function goneAdapter(folder: string): LorafaError {
  const name = path.basename(folder);
  const problem = isCheckpointName(name)
    ? `${name} of ${path.basename(path.dirname(folder))} is not there any more: the run’s save_total_limit took it, or somebody by hand.`
    : `The adapter ${name} is not there any more: it was deleted, moved or renamed.`;
  return new LorafaError('adapter.not_found', problem, { location: { file: folder } });
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
    const found = await lstat(folder).catch(() => undefined);
    throw found === undefined ? goneAdapter(folder) : error;
  }
}
