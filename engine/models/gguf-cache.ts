import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { LorafaError } from '../errors.ts';
import { ensureFolder } from '../files.ts';
import type { GgufFile } from '../formats/gguf.ts';
import { openSafetensors } from '../formats/safetensors.ts';
import { type TensorToWrite, writeSafetensors } from '../formats/safetensors-writer.ts';
import { elementCount, type TensorLocation } from '../formats/tensor-location.ts';
import type { DecoderConfig } from './decoder-config.ts';
import { unpackGguf } from './gguf-weights.ts';

/** Raise when unpacking changes, so that files unpacked before are not used any more. */
const UNPACK_VERSION = 1;

/** Called with the number of weights unpacked so far and in all. */
export type UnpackProgress = (done: number, total: number) => void;

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
 * The weights of a GGUF file in unpacked form, from a safetensors file in the cache folder; it is
 * made on the first call for a file of this path, size and modification time.
 *
 * @throws LorafaError `output.not_writable` when the cache folder cannot be written.
 */
export async function unpackedGguf(
  gguf: GgufFile,
  config: DecoderConfig,
  cacheFolder: string,
  onProgress: UnpackProgress,
): Promise<ReadonlyMap<string, TensorLocation>> {
  const { size, mtimeMs } = await stat(gguf.file);
  const key = createHash('sha256')
    .update([UNPACK_VERSION, gguf.file, size, mtimeMs].join('\n'))
    .digest('hex')
    .slice(0, 16);
  const folder = path.join(cacheFolder, 'gguf');
  const file = path.join(folder, `${path.parse(gguf.path).name}-${key}.safetensors`);
  const cached = await openIfUsable(file);
  if (cached !== null) return cached;
  await ensureFolder(folder);
  await writeSafetensors(file, withProgress(unpackGguf(gguf, config), onProgress));
  return (await openSafetensors(file)).tensors;
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

function withProgress(tensors: TensorToWrite[], onProgress: UnpackProgress): TensorToWrite[] {
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
