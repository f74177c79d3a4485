import path from 'node:path';
import { openGguf } from '../formats/gguf.ts';
import type { BaseModel } from './base-model.ts';
import { selectWeights } from './check-weights.ts';
import { parseDecoderConfig } from './config.ts';
import { defaultCacheFolder, type UnpackProgress, unpackedGguf } from './gguf-cache.ts';
import { ggufConfig } from './gguf-config.ts';
import { ggufTokenizer } from './gguf-tokenizer.ts';
import { ggufWeightsInPlace, ggufWeightsUnpacked } from './gguf-weights.ts';

/** How to open a GGUF file. */
export interface GgufOptions {
  /** Where unpacked weights are kept; `defaultCacheFolder()` unless given. */
  readonly cacheFolder?: string;
  /**
   * Only look at the model: weights that a run would unpack are described as they will be, in a
   * place where they are not. Nothing is written, and their data cannot be read.
   */
  readonly headersOnly?: boolean;
  /** Told about the unpacking, which takes a while for a large model and happens once. */
  readonly onUnpack?: UnpackProgress;
}

/**
 * Opens a GGUF file as a base model. Config and tokenizer come from its metadata. A file whose
 * tensors can all be used as they lie is read in place; any other is unpacked once into the cache.
 *
 * @throws LorafaError as `openGguf`, `ggufConfig`, `ggufTokenizer`, `selectWeights` and
 * `unpackedGguf` do.
 */
export async function openGgufModel(file: string, options: GgufOptions = {}): Promise<BaseModel> {
  const gguf = await openGguf(file);
  const configJson = await ggufConfig(gguf);
  const config = parseDecoderConfig(configJson, file);
  const tokenizer = ggufTokenizer(gguf);
  const { cacheFolder = defaultCacheFolder(), onUnpack = () => undefined } = options;
  const weights =
    ggufWeightsInPlace(gguf, config) ??
    (options.headersOnly === true
      ? ggufWeightsUnpacked(gguf, config)
      : await unpackedGguf(gguf, config, cacheFolder, onUnpack));
  return {
    path: file,
    name: path.parse(file).name,
    config,
    configJson,
    weights: selectWeights(config, weights, file),
    tokenizer,
  };
}
