import { access } from 'node:fs/promises';
import path from 'node:path';
import type { DecoderConfig, StoredNames } from '../architectures/decoder-config.ts';
import { parseDecoderConfig } from '../architectures/hugging-face-config.ts';
import { LorafaError } from '../errors.ts';
import type { FileHead } from '../formats/file-head.ts';
import { openSafetensors, readSafetensorsHead } from '../formats/safetensors.ts';
import type { TensorLocation } from '../formats/tensor-location.ts';
import { publishedModel } from '../hub/hub-cache.ts';
import { isJsonObject, type JsonObject, readJsonFile } from '../json-file.ts';
import { readTokenizerFiles } from '../tokenizer/tokenizer-files.ts';
import { selectWeights } from '../weights/check-weights.ts';
import { type OpenOptions, quantizedWeights, storedSource } from '../weights/make-weights.ts';
import type { WeightStore } from '../weights/weight-store.ts';
import type { BaseModel } from './base-model.ts';

export const SINGLE_FILE = 'model.safetensors';
export const SHARD_INDEX = 'model.safetensors.index.json';

/** Published ones have a few thousand bytes. Every one of a workspace is read to list its models. */
const MAX_CONFIG_BYTES = 2 ** 23;

/**
 * Opens a folder as `save_pretrained` writes it. Its weights are read in place, or quantized once
 * into the cache.
 *
 * @throws LorafaError as {@link readDecoderConfig}, {@link openWeights}, `readTokenizerFiles` and
 * `quantizedWeights` do.
 */
export async function openHuggingFaceFolder(
  folder: string,
  options: OpenOptions = {},
): Promise<BaseModel> {
  const { config, configJson } = await readDecoderConfig(folder);
  const name = path.basename(publishedModel(folder)?.name ?? path.resolve(folder));
  const { quantization, heads } = options;
  const weights = await openWeights(folder, config, heads);
  return {
    path: folder,
    name,
    config,
    configJson,
    weights:
      quantization === undefined
        ? weights
        : await quantizedWeights(config, storedSource(name, weights), quantization, options),
    tokenizer: await readTokenizerFiles(folder),
  };
}

/**
 * Reads the `config.json` of a folder.
 *
 * @throws LorafaError `model.not_found` when there is none; `model.corrupt` or `model.unsupported`
 * for its content.
 */
export async function readDecoderConfig(
  folder: string,
): Promise<{ readonly config: DecoderConfig; readonly configJson: JsonObject }> {
  const file = path.join(folder, 'config.json');
  const configJson = await readJsonFile(file, 'model.corrupt', MAX_CONFIG_BYTES);
  if (configJson === null) {
    throw new LorafaError(
      'model.not_found',
      `${folder} has no config.json; a model folder holds config.json, tokenizer.json and ${SINGLE_FILE} (or shards with ${SHARD_INDEX}).`,
      { location: { file } },
    );
  }
  return { config: parseDecoderConfig(configJson, file), configJson };
}

/** Headers of files that are not here, by their paths. */
type Heads = ReadonlyMap<string, FileHead>;

/**
 * Opens the weights of a folder, single file or shards, and checks them against the config.
 *
 * @param heads what is known of files that are not here, whose tensors cannot be read
 * @throws LorafaError `model.not_found` when a file is missing, `model.corrupt` when one is
 * damaged, and as `selectWeights` does.
 */
export async function openWeights(
  folder: string,
  config: DecoderConfig,
  heads: Heads = new Map(),
): Promise<WeightStore> {
  const stored = await openTensors(folder, heads);
  const named = [...stored.values()].map((location) => {
    const name = moduleName(location.name, config.storedNames);
    return [name, { ...location, name }] as const;
  });
  return selectWeights(config, new Map(named), folder);
}

/** What the model calls a tensor of a file. */
export function moduleName(stored: string, storedNames: StoredNames): string {
  const renamed = storedNames.find(([beginning]) => stored.startsWith(beginning));
  return renamed === undefined ? stored : renamed[1] + stored.slice(renamed[0].length);
}

/**
 * All tensors of a folder, single file or shards, under the names that they have there.
 *
 * @throws LorafaError `model.not_found`, `model.missing_tensor`, `model.corrupt`
 */
export async function openTensors(
  folder: string,
  heads: Heads = new Map(),
): Promise<ReadonlyMap<string, TensorLocation>> {
  const single = path.join(folder, SINGLE_FILE);
  if (heads.has(single) || (await exists(single))) return openFile(single, heads);
  const index = path.join(folder, SHARD_INDEX);
  const json = await readJsonFile(index);
  if (json === null) {
    throw new LorafaError(
      'model.not_found',
      `${folder} has neither ${SINGLE_FILE} nor ${SHARD_INDEX}; download the safetensors weights (pickled .bin files are not read).`,
      { location: { file: folder } },
    );
  }
  return openShards(index, json['weight_map'], heads);
}

async function openFile(file: string, heads: Heads): Promise<ReadonlyMap<string, TensorLocation>> {
  const head = heads.get(file);
  const { tensors } = await (head ? readSafetensorsHead(file, head) : openSafetensors(file));
  return tensors;
}

async function openShards(
  index: string,
  weightMap: unknown,
  heads: Heads,
): Promise<ReadonlyMap<string, TensorLocation>> {
  const folder = path.dirname(index);
  const fail = (cause: string) =>
    new LorafaError('model.corrupt', `${index}: ${cause}; download it again.`, {
      location: { file: index },
    });
  if (!isJsonObject(weightMap)) throw fail('"weight_map" is not an object of file names');
  const shards = new Map<string, ReadonlyMap<string, TensorLocation>>();
  const tensors = new Map<string, TensorLocation>();
  for (const [name, shard] of Object.entries(weightMap)) {
    if (typeof shard !== 'string' || path.basename(shard) !== shard || shard === '..') {
      throw fail(`tensor "${name}" should lie in ${JSON.stringify(shard)}, not a plain file name`);
    }
    const opened = shards.get(shard) ?? (await openFile(path.join(folder, shard), heads));
    shards.set(shard, opened);
    const location = opened.get(name);
    if (location === undefined) {
      throw new LorafaError(
        'model.missing_tensor',
        `${path.join(folder, shard)} has no tensor "${name}", which ${SHARD_INDEX} places there; download the model again.`,
        { location: { file: index } },
      );
    }
    tensors.set(name, location);
  }
  return tensors;
}

async function exists(file: string): Promise<boolean> {
  try {
    await access(file);
    return true;
  } catch {
    return false;
  }
}
