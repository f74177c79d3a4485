import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { LorafaError } from '../errors.ts';
import { ensureFolder } from '../files/folders.ts';
import { withWayOut } from '../files/not-writable.ts';
import { openSafetensors } from '../formats/safetensors.ts';
import {
  type TensorToWrite,
  WEIGHTS_ALIGNMENT,
  writeSafetensors,
} from '../formats/safetensors-writer.ts';
import {
  BYTES_PER_ELEMENT,
  elementCount,
  type TensorLocation,
} from '../formats/tensor-location.ts';
import { cacheFile, sweepHalfMade, type WeightKind } from './cache-entries.ts';
import { makeRoom } from './cache-room.ts';
import { markUse } from './cache-use.ts';

/** Called with the number of weights made so far and in all. */
export type WeightProgress = (done: number, total: number) => void;

/** Where made weights are kept, and who is told about the making. */
export interface WeightCacheOptions {
  readonly cacheFolder: string;
  readonly onProgress: WeightProgress;
}

/** Weights that are made from the files of a model. */
export interface MadeWeights {
  readonly kind: WeightKind;
  /** Raise when the making changes, so that files made before are not used any more. */
  readonly version: number;
  /** The model's name, for people who look into the cache. */
  readonly model: string;
  /** The files that they are made from. */
  readonly sources: readonly string[];
  /** All tensors, each made when its turn has come. */
  readonly tensors: readonly TensorToWrite[];
}

/** Made weights as they lie in the cache, or will. */
export interface PlannedWeights extends Pick<MadeWeights, 'kind' | 'model'> {
  readonly bytes: number;
  readonly isMade: boolean;
}

/**
 * Made weights from one safetensors file in the cache folder. It is made on the first call for the
 * same tensors of source files of the same paths, sizes and modification times, and stays while this
 * process lives.
 *
 * @throws LorafaError `output.no_space` before anything is made; `output.not_writable` when the cache
 * folder cannot be written, and whatever the making of a tensor throws.
 */
export async function cachedWeights(
  made: MadeWeights,
  { cacheFolder, onProgress }: WeightCacheOptions,
): Promise<ReadonlyMap<string, TensorLocation>> {
  const file = await cacheFileOf(made, cacheFolder);
  const folder = path.dirname(file);
  // Also where nothing is to be made: who made these may have been killed a moment before.
  await sweepHalfMade(folder);
  await markUse(file);
  const cached = await openIfUsable(file);
  if (cached !== null) return cached;
  await makeRoom(cacheFolder, made.model, bytesOf(made.tensors));
  try {
    await ensureFolder(folder);
    await writeSafetensors(file, withProgress(made.tensors, onProgress), {}, WEIGHTS_ALIGNMENT);
  } catch (error) {
    if (!(error instanceof LorafaError) || error.code !== 'output.not_writable') throw error;
    const wayOut = 'this is the cache of weights, so set LORAFA_CACHE_DIR to a folder with room';
    throw new LorafaError(error.code, withWayOut(error, wayOut), {
      location: { file },
      cause: error,
    });
  }
  return (await openSafetensors(file)).tensors;
}

/** Where made weights lie or would lie, also of sources that are not here yet; nothing is written. */
export async function plannedWeights(
  made: MadeWeights,
  cacheFolder: string,
): Promise<PlannedWeights> {
  const bytes = bytesOf(made.tensors);
  const file = await cacheFileOf(made, cacheFolder).catch(() => undefined);
  const isMade = file !== undefined && (await openIfUsable(file)) !== null;
  return { kind: made.kind, model: made.model, bytes, isMade };
}

/** Made tensors as they will lie on disk, without making them: the places are not real. */
export function describeTensors(
  tensors: readonly TensorToWrite[],
  file: string,
): ReadonlyMap<string, TensorLocation> {
  return new Map(
    tensors.map(({ name, dtype, shape }) => {
      const length = elementCount(shape) * BYTES_PER_ELEMENT[dtype];
      return [name, { name, dtype, shape, file, offset: 0, length }];
    }),
  );
}

async function cacheFileOf(made: MadeWeights, cacheFolder: string): Promise<string> {
  return cacheFile(cacheFolder, made.kind, made.model, await keyOf(made));
}

function bytesOf(tensors: readonly TensorToWrite[]): number {
  return tensors.reduce((sum, { shape, dtype }) => {
    return sum + elementCount(shape) * BYTES_PER_ELEMENT[dtype];
  }, 0);
}

async function keyOf({ version, sources, tensors }: MadeWeights): Promise<string> {
  const hash = createHash('sha256').update(String(version));
  for (const source of sources) {
    const { size, mtimeMs } = await stat(source);
    hash.update(JSON.stringify([source, size, mtimeMs]));
  }
  hash.update(JSON.stringify(tensors.map(({ name, dtype, shape }) => [name, dtype, shape])));
  return hash.digest('hex').slice(0, 16);
}

/** A cached file that is missing or damaged is simply made again. */
async function openIfUsable(file: string): Promise<ReadonlyMap<string, TensorLocation> | null> {
  try {
    return (await openSafetensors(file)).tensors;
  } catch (error) {
    if (error instanceof LorafaError) return null;
    throw error;
  }
}

function withProgress(
  tensors: readonly TensorToWrite[],
  onProgress: WeightProgress,
): TensorToWrite[] {
  const total = tensors.reduce((sum, { shape }) => sum + elementCount(shape), 0);
  let done = 0;
  return tensors.map((tensor) => ({
    ...tensor,
    data: async () => {
      const data = await (typeof tensor.data === 'function' ? tensor.data() : tensor.data);
      done += elementCount(tensor.shape);
      onProgress(done, total);
      return data;
    },
  }));
}
