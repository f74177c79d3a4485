import { defaultCacheFolder } from '../cache-folder.ts';
import { freeBytes } from '../disk-space.ts';
import { cacheEntries } from '../weights/cache-entries.ts';
import { mostRoom } from '../weights/cache-room.ts';
import type { PlannedWeights } from '../weights/weight-cache.ts';

/** What a run writes into the cache before its first step: weights that are unpacked or quantized. */
export interface DiskEstimate {
  /** Bytes. */
  readonly needed: number;
  /** Bytes that there is room for; a run that needs more is refused. */
  readonly room: number;
  readonly folder: string;
}

/**
 * What of the weights that a run needs is still to be made; undefined where nothing is.
 *
 * @param planned of one model, which has one file of each kind: several modes may use it
 */
export async function estimateDisk(
  planned: readonly PlannedWeights[],
): Promise<DiskEstimate | undefined> {
  const files = new Map(planned.map((weights) => [weights.kind, weights]));
  const needed = [...files.values()].reduce(
    (sum, { bytes, isMade }) => sum + (isMade ? 0 : bytes),
    0,
  );
  if (needed === 0) return undefined;
  const folder = defaultCacheFolder();
  const free = await freeBytes(folder);
  return { needed, room: mostRoom(await cacheEntries(folder), { free }), folder };
}
