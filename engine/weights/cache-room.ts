import { freeBytes } from '../disk-space.ts';
import { LorafaError } from '../errors.ts';
import { formatBytes } from '../format-bytes.ts';
import { type CacheEntry, cacheEntries, evict } from './cache-entries.ts';

const DEFAULT_LIMIT_GIB = 50;

const LIMIT_VARIABLE = 'LORAFA_CACHE_MAX_GIB';

/** What a cache may take, and what its disk has. */
export interface CacheSpace {
  /** Bytes that all weights of the cache may have. */
  readonly limit: number;
  /** Bytes that are free on its disk. */
  readonly free: number;
}

/**
 * The space of a cache folder. Its limit is `LORAFA_CACHE_MAX_GIB`, or 50 GiB.
 *
 * @throws LorafaError `usage.invalid` for a limit that is none
 */
export async function cacheSpace(cacheFolder: string): Promise<CacheSpace> {
  return { limit: cacheLimit(), free: await freeBytes(cacheFolder) };
}

/**
 * Bytes that all weights of a cache may have.
 *
 * @throws LorafaError `usage.invalid` for a limit that is none
 */
export function cacheLimit(env: NodeJS.ProcessEnv = process.env): number {
  const text = env[LIMIT_VARIABLE]?.trim() || String(DEFAULT_LIMIT_GIB);
  const gib = Number(text);
  if (gib >= 0) return gib * 2 ** 30;
  throw new LorafaError(
    'usage.invalid',
    `${LIMIT_VARIABLE} is ${JSON.stringify(text)}; give the GiB that unpacked and quantized weights may take on disk, such as ${DEFAULT_LIMIT_GIB}.`,
  );
}

/** The largest number of bytes that can be made in a cache: what is free, and what can be removed for it. */
export function mostRoom(
  entries: readonly CacheEntry[],
  { free }: Pick<CacheSpace, 'free'>,
): number {
  return free + bytesOf(entries.filter(({ isInUse }) => !isInUse));
}

/**
 * Which weights make room for others: those that were used longest ago and are not in use, as few
 * as keep the cache within its limit. Weights that are larger than the limit are made all the same,
 * and are then the only ones that nobody uses.
 *
 * @param entries those that were used longest ago first
 * @returns undefined where the disk has no room for them, whatever is removed
 */
export function chooseEvictions(
  entries: readonly CacheEntry[],
  needed: number,
  { limit, free }: CacheSpace,
): readonly CacheEntry[] | undefined {
  if (needed > mostRoom(entries, { free })) return undefined;
  const chosen: CacheEntry[] = [];
  let over = Math.max(bytesOf(entries) + needed - limit, needed - free);
  for (const entry of entries) {
    if (over <= 0) break;
    if (entry.isInUse) continue;
    chosen.push(entry);
    over -= entry.bytes;
  }
  return chosen;
}

/**
 * Makes room in a cache before anything is written into it.
 *
 * @param model for the sentence
 * @throws LorafaError `output.no_space` where there is none, and `usage.invalid` for a limit that is none
 */
export async function makeRoom(cacheFolder: string, model: string, needed: number): Promise<void> {
  const entries = await cacheEntries(cacheFolder);
  const space = await cacheSpace(cacheFolder);
  const chosen = chooseEvictions(entries, needed, space);
  if (chosen === undefined) throw noSpace(cacheFolder, model, needed, mostRoom(entries, space));
  for (const entry of chosen) await evict(entry);
}

function noSpace(folder: string, model: string, needed: number, most: number): LorafaError {
  return new LorafaError(
    'output.no_space',
    `The weights made of ${model} need ${formatBytes(needed)} in ${folder}, and there is room for ${formatBytes(most)}; free some space, or set LORAFA_CACHE_DIR to a folder on another disk.`,
    { location: { file: folder } },
  );
}

function bytesOf(entries: readonly CacheEntry[]): number {
  return entries.reduce((sum, { bytes }) => sum + bytes, 0);
}
