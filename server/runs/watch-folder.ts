import { type FSWatcher, watch } from 'node:fs';

/**
 * Calls back when something changes in a folder. Undefined where it cannot be watched: it is gone, or the system has
 * no watches left (Linux has a number of them for all of a user's programs, and editors take many), so that one has to look.
 */
export function watchFolder(folder: string, onChange: () => void): FSWatcher | undefined {
  try {
    return watch(folder, onChange).on('error', () => undefined);
  } catch {
    return undefined;
  }
}
