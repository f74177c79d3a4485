import { createHash } from 'node:crypto';
import type { Stats } from 'node:fs';
import path from 'node:path';
import { readBoundedFile } from '../../bounded-file.ts';
import { defaultCacheFolder } from '../../cache-folder.ts';
import { ensureFolder, sweepTemporaries, writeFileAtomic } from '../../files.ts';
import type { LineIndex } from './line-index.ts';

/** Raise when an index means something else, so that those made before are not used any more. */
const VERSION = 1;

/** More than any index has. */
const MAX_BYTES = 2 ** 26;

/** Nobody takes so long to write one. */
const ABANDONED_MS = 10 * 60_000;

const DIGEST_BYTES = 32;

/**
 * The index of a file that has the same path, size and modification time as when it was made; makes
 * it where there is none. Where the cache folder cannot be written, it is made each time.
 */
export async function cachedIndex(
  file: string,
  { size, mtimeMs }: Pick<Stats, 'size' | 'mtimeMs'>,
  make: () => Promise<LineIndex>,
): Promise<LineIndex> {
  const identity = JSON.stringify([VERSION, path.resolve(file), size, mtimeMs]);
  const key = createHash('sha256').update(identity).digest('hex').slice(0, 32);
  const folder = path.join(defaultCacheFolder(), 'line-indexes');
  const cached = path.join(folder, `${key}.bin`);
  const found = await readBoundedFile(cached, MAX_BYTES).then(parseIndex, () => undefined);
  if (found?.size === size) return found;
  const index = await make();
  try {
    await ensureFolder(folder);
    await sweepTemporaries(folder, ABANDONED_MS);
    await writeFileAtomic(cached, formatIndex(index));
  } catch {
    // The next start looks through the file once more.
  }
  return index;
}

/** A digest of all that follows, the index's digest, size and rows, and its three columns. */
function formatIndex({ offsets, lines, starts, rows, size, digest }: LineIndex): Buffer {
  const numbers = Float64Array.from([
    size,
    rows,
    ...[offsets, lines, starts].flatMap((c) => [...c]),
  ]);
  const content = Buffer.concat([Buffer.from(digest, 'hex'), Buffer.from(numbers.buffer)]);
  return Buffer.concat([digestOf(content), content]);
}

/** Undefined for what is not an index that was written whole. */
function parseIndex(bytes: Buffer): LineIndex | undefined {
  const content = bytes.subarray(DIGEST_BYTES);
  if (!digestOf(content).equals(bytes.subarray(0, DIGEST_BYTES))) return undefined;
  const [size, rows, ...rest] = new Float64Array(
    Uint8Array.from(content.subarray(DIGEST_BYTES)).buffer,
  );
  const count = rest.length / 3;
  if (size === undefined || rows === undefined || !Number.isInteger(count)) return undefined;
  const [offsets, lines, starts] = [0, 1, 2].map((column) =>
    Float64Array.from(rest.slice(column * count, (column + 1) * count)),
  );
  return {
    offsets: offsets!,
    lines: lines!,
    starts: starts!,
    rows,
    size,
    digest: content.subarray(0, DIGEST_BYTES).toString('hex'),
  };
}

function digestOf(content: Buffer): Buffer {
  return createHash('sha256').update(content).digest();
}
