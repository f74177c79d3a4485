import { lstat, readdir } from 'node:fs/promises';
import path from 'node:path';
import { LorafaError } from '../errors.ts';
import { removeFileUnless, sweepTemporaries } from '../files/remove.ts';
import { isInUse } from './cache-use.ts';

/** What is made into the cache, by the names of its folders there. */
export const WEIGHT_KINDS = ['gguf', 'blockwise', 'nf4', 'int8', 'bfloat16'] as const;

/** One of {@link WEIGHT_KINDS}. */
export type WeightKind = (typeof WEIGHT_KINDS)[number];

/** Nobody works for so long on one weight without a write. */
const ABANDONED_MS = 10 * 60_000;

/** One file of weights in the cache. */
export interface CacheEntry {
  readonly kind: WeightKind;
  /** The name of the model that it was made of. */
  readonly model: string;
  readonly file: string;
  readonly bytes: number;
  /** When a process last used it, in milliseconds since 1970. */
  readonly usedAt: number;
  /** Whether a process uses it now. */
  readonly isInUse: boolean;
}

/** Where a file of the cache lies. */
export function cacheFile(folder: string, kind: WeightKind, model: string, key: string): string {
  return path.join(folder, kind, `${model}-${key}.safetensors`);
}

const FILE_NAME = /^(?<model>.*)-[0-9a-f]{16}\.safetensors$/;

/** The weights in a cache folder, those that were used longest ago first. */
export async function cacheEntries(cacheFolder: string): Promise<readonly CacheEntry[]> {
  const entries: CacheEntry[] = [];
  for (const kind of WEIGHT_KINDS) {
    const folder = path.join(cacheFolder, kind);
    for (const name of await readdir(folder).catch(() => [])) {
      const model = FILE_NAME.exec(name)?.groups?.['model'];
      const file = path.join(folder, name);
      if (model === undefined) continue;
      const isUsed = await isInUse(file);
      const found = await lstat(file).catch(() => undefined);
      if (!found?.isFile()) continue;
      const { size: bytes, mtimeMs: usedAt } = found;
      entries.push({ kind, model, file, bytes, usedAt, isInUse: isUsed });
    }
  }
  return entries.toSorted((a, b) => a.usedAt - b.usedAt);
}

/**
 * Removes a file of the cache, unless a process uses it. Who begins to use it meanwhile marks that
 * before it looks for the file, and so either is seen here or finds no file, and makes it again.
 *
 * @returns whether it did
 */
export async function evict({ file }: CacheEntry): Promise<boolean> {
  if (await isInUse(file)) return false;
  try {
    return await removeFileUnless(file, () => isInUse(file));
  } catch (error) {
    // On Windows a file that is mapped stays.
    if (error instanceof LorafaError) return false;
    throw error;
  }
}

/** What was removed from a cache, and what is in use and stayed. */
export interface EmptiedCache {
  readonly removed: readonly CacheEntry[];
  readonly kept: readonly CacheEntry[];
}

/** Removes all weights that no process uses from a cache folder, and what killed ones left half made. */
export async function emptyCache(cacheFolder: string): Promise<EmptiedCache> {
  const removed: CacheEntry[] = [];
  const kept: CacheEntry[] = [];
  for (const entry of await cacheEntries(cacheFolder)) {
    ((await evict(entry)) ? removed : kept).push(entry);
  }
  for (const kind of WEIGHT_KINDS) await sweepHalfMade(path.join(cacheFolder, kind));
  return { removed, kept };
}

/** Removes what processes that were killed left half made in a folder of the cache. */
export async function sweepHalfMade(folder: string): Promise<void> {
  await sweepTemporaries(folder, ABANDONED_MS);
}
