import { createHash } from 'node:crypto';
import type { Stats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { codeOf, readBoundedFile } from '../../bounded-file.ts';
import { defaultCacheFolder } from '../../cache-folder.ts';
import { writeFileAtomic } from '../../files/atomic-file.ts';
import { ensureFolder } from '../../files/folders.ts';
import { advanceTime, removeFolder, sweepTemporaries } from '../../files/remove.ts';
import { formatIndex, parseIndex, readIndexed } from './index-file.ts';
import type { LineIndex } from './line-index.ts';

/** Raise when an index means something else, so that those made before are not used any more. */
const VERSION = 2;

/** More than any index has. */
const MAX_BYTES = 2 ** 26;

/** Nobody takes so long to write one. */
const ABANDONED_MS = 10 * 60_000;

const DAY_MS = 24 * 60 * 60_000;

/** An index that nobody used for so long is made again when somebody does. */
const UNUSED_MS = 30 * DAY_MS;

const ENDING = '.bin';

/**
 * The index of a file that has the same path, size and modification time as when it was made; makes
 * it where there is none. Where the cache folder cannot be written, it is made each time.
 */
export async function cachedIndex(
  file: string,
  { size, mtimeMs }: Pick<Stats, 'size' | 'mtimeMs'>,
  make: () => Promise<LineIndex>,
): Promise<LineIndex> {
  const indexed = { file: path.resolve(file), size, mtimeMs };
  const identity = JSON.stringify([VERSION, ...Object.values(indexed)]);
  const key = createHash('sha256').update(identity).digest('hex').slice(0, 32);
  const folder = path.join(defaultCacheFolder(), 'line-indexes');
  const cached = path.join(folder, `${key}${ENDING}`);
  const found = await readBoundedFile(cached, MAX_BYTES)
    .then(parseIndex)
    .catch(() => undefined);
  if (found?.size === size) {
    // How long ago it was used is told by its time.
    await advanceTime(cached, Date.now());
    return found;
  }
  const index = await make();
  try {
    await ensureFolder(folder);
    await sweepTemporaries(folder, ABANDONED_MS);
    await writeFileAtomic(cached, formatIndex(indexed, index));
    await pruneIndexes(folder);
  } catch {
    // The next start looks through the file once more.
  }
  return index;
}

/**
 * Removes what nobody will use: indexes of files that are gone or were written since, and those that were
 * not used for a month. Nothing is locked: whoever wants one that is removed just now makes it again.
 */
async function pruneIndexes(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!name.endsWith(ENDING)) continue;
    const index = path.join(folder, name);
    if (await isUseless(index)) await removeFolder(index).catch(() => undefined);
  }
}

async function isUseless(index: string): Promise<boolean> {
  const used = await stat(index).catch(() => undefined);
  if (used === undefined) return false;
  if (Date.now() - used.mtimeMs > UNUSED_MS) return true;
  const indexed = await readIndexed(index);
  if (indexed === undefined) return false;
  try {
    const { size, mtimeMs } = await stat(indexed.file);
    return size !== indexed.size || mtimeMs !== indexed.mtimeMs;
  } catch (error) {
    // A disk that is not attached now has lost its folders too, and may be there again tomorrow.
    return codeOf(error) === 'ENOENT' && (await isThere(path.dirname(indexed.file)));
  }
}

async function isThere(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}
