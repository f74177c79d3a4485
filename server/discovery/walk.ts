import { readdir } from 'node:fs/promises';
import path from 'node:path';

/** A folder and the files directly in it. */
export interface WalkedFolder {
  readonly folder: string;
  /** Names of files, symbolic links to files among them. */
  readonly files: readonly string[];
}

/** Folders that hold nothing of a user's own. */
const SKIPPED = new Set(['node_modules', '__pycache__']);

/**
 * Goes through a folder and those below it, the upper ones first. Hidden folders, those of packages
 * and those that cannot be read are left out; links to folders are not followed.
 *
 * @param depth how many levels below the first
 */
export async function* walk(folder: string, depth: number): AsyncGenerator<WalkedFolder, void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const files = entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name);
  yield { folder, files };
  if (depth === 0) return;
  for (const entry of entries) {
    const { name } = entry;
    if (!entry.isDirectory() || name.startsWith('.') || SKIPPED.has(name)) continue;
    yield* walk(path.join(folder, name), depth - 1);
  }
}
