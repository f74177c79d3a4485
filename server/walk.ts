import type { Dirent } from 'node:fs';
import { opendir } from 'node:fs/promises';
import path from 'node:path';

/** A folder and the files directly in it that are wanted. */
export interface WalkedFolder {
  readonly folder: string;
  /** Names of files, symbolic links to files among them. */
  readonly files: readonly string[];
}

/** What to look for, and how far. */
export interface WalkOptions {
  /** How many levels below the first. */
  readonly depth: number;
  /** Whether a file of this name is of interest. */
  readonly isWanted: (name: string) => boolean;
  /** Whether a folder of this name is looked into; by default each that may be a user's own. */
  readonly isEntered?: (name: string) => boolean;
  /** How many names are looked at; the folders that are left then are left out. */
  readonly maxEntries?: number;
}

/** Folders that hold nothing of a user's own. */
const SKIPPED = new Set(['node_modules', '__pycache__']);

/** More names than a folder of work has, and seconds of looking. */
const MAX_ENTRIES = 1_000_000;

/** Names that are read from the system at once. */
const AT_ONCE = 1024;

/**
 * Goes through a folder and those below it, level by level. Hidden folders, those of packages and
 * those that cannot be read are left out; links to folders are not followed.
 */
export async function* walk(
  top: string,
  { depth, isWanted, isEntered = () => true, maxEntries = MAX_ENTRIES }: WalkOptions,
): AsyncGenerator<WalkedFolder, void> {
  let left = maxEntries;
  let level = [top];
  for (let below = 0; below <= depth && level.length > 0; below++) {
    const next: string[] = [];
    for (const folder of level) {
      const files: string[] = [];
      for await (const entry of entriesOf(folder)) {
        left -= 1;
        if (left < 0) break;
        if (!entry.isDirectory()) {
          if (isWanted(entry.name)) files.push(entry.name);
        } else if (isOwn(entry.name) && isEntered(entry.name)) {
          next.push(path.join(folder, entry.name));
        }
      }
      yield { folder, files: files.sort() };
      if (left < 0) return;
    }
    level = next.sort();
  }
}

function isOwn(name: string): boolean {
  return !name.startsWith('.') && !SKIPPED.has(name);
}

/** What is in a folder; nothing in one that cannot be read. */
async function* entriesOf(folder: string): AsyncGenerator<Dirent, void> {
  try {
    yield* await opendir(folder, { bufferSize: AT_ONCE });
  } catch {
    // Gone, or not for us.
  }
}
