import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { LorafaError } from '../errors.ts';
import { ensureFolder, sweepTemporaries } from '../files.ts';
import { openSafetensors } from '../formats/safetensors.ts';
import { type TensorToWrite, writeSafetensors } from '../formats/safetensors-writer.ts';
import {
  BYTES_PER_ELEMENT,
  elementCount,
  type TensorLocation,
} from '../formats/tensor-location.ts';

/** Nobody works for so long on one weight without a write. */
const ABANDONED_MS = 10 * 60_000;

/** Called with the number of weights made so far and in all. */
export type WeightProgress = (done: number, total: number) => void;

/** Where made weights are kept, and who is told about the making. */
export interface WeightCacheOptions {
  readonly cacheFolder: string;
  readonly onProgress: WeightProgress;
}

/** Weights that are made from the files of a model. */
export interface MadeWeights {
  /** What is made, as the name of a folder in the cache. */
  readonly kind: string;
  /** Raise when the making changes, so that files made before are not used any more. */
  readonly version: number;
  /** The model's name, for people who look into the cache. */
  readonly model: string;
  /** The files that they are made from. */
  readonly sources: readonly string[];
  /** All tensors, each made when its turn has come. */
  readonly tensors: readonly TensorToWrite[];
}

/**
 * The folder for what can be made again: `LORAFA_CACHE_DIR`, or `lorafa` in the user's cache folder
 * of the operating system.
 */
export function defaultCacheFolder(): string {
  const { env } = process;
  const chosen = env['LORAFA_CACHE_DIR'];
  if (chosen) return chosen;
  switch (process.platform) {
    case 'win32':
      return path.join(env['LOCALAPPDATA'] ?? path.join(homedir(), 'AppData', 'Local'), 'lorafa');
    case 'darwin':
      return path.join(homedir(), 'Library', 'Caches', 'lorafa');
    default:
      return path.join(env['XDG_CACHE_HOME'] || path.join(homedir(), '.cache'), 'lorafa');
  }
}

/**
 * Made weights from one safetensors file in the cache folder. It is made on the first call for the
 * same tensors of source files of the same paths, sizes and modification times.
 *
 * @throws LorafaError `output.not_writable` when the cache folder cannot be written, and whatever
 * the making of a tensor throws.
 */
export async function cachedWeights(
  made: MadeWeights,
  { cacheFolder, onProgress }: WeightCacheOptions,
): Promise<ReadonlyMap<string, TensorLocation>> {
  const folder = path.join(cacheFolder, made.kind);
  // Also where nothing is to be made: who made these may have been killed a moment before.
  await sweepTemporaries(folder, ABANDONED_MS);
  const file = path.join(folder, `${made.model}-${await keyOf(made)}.safetensors`);
  const cached = await openIfUsable(file);
  if (cached !== null) return cached;
  await ensureFolder(folder);
  await writeSafetensors(file, withProgress(made.tensors, onProgress));
  return (await openSafetensors(file)).tensors;
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
