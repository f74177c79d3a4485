import type { DecoderConfig } from '../architectures/decoder-config.ts';
import { parseDecoderConfig } from '../architectures/hugging-face-config.ts';
import { type GgufFile, openGguf } from '../gguf/gguf.ts';
import { ggufConfig } from '../gguf/gguf-config.ts';
import { ggufTokenizer } from '../gguf/gguf-tokenizer.ts';
import { ggufWeightsInPlace, unpackGguf } from '../gguf/gguf-weights.ts';
import { ggufModelName } from '../gguf/split-name.ts';
import { selectWeights } from '../weights/check-weights.ts';
import { type OpenOptions, quantizedWeights, unpackedWeights } from '../weights/make-weights.ts';
import { describeTensors } from '../weights/weight-cache.ts';
import type { WeightStore } from '../weights/weight-store.ts';
import type { BaseModel } from './base-model.ts';

/**
 * Opens a GGUF file, or any part of one that was split, as a base model. Config and tokenizer come from its metadata. A file whose
 * tensors can all be used as they lie is read in place; any other is unpacked once into the cache,
 * or quantized into it right away.
 *
 * @throws LorafaError as `openGguf`, `ggufConfig`, `ggufTokenizer`, `selectWeights`,
 * `unpackedWeights` and `quantizedWeights` do.
 */
export async function openGgufModel(file: string, options: OpenOptions = {}): Promise<BaseModel> {
  const gguf = await openGguf(file, options.heads);
  const configJson = await ggufConfig(gguf);
  const config = parseDecoderConfig(configJson, file);
  return {
    path: file,
    name: ggufModelName(file),
    config,
    configJson,
    tokenizer: ggufTokenizer(gguf),
    weights: await ggufWeights(gguf, config, options),
  };
}

async function ggufWeights(
  gguf: GgufFile,
  config: DecoderConfig,
  options: OpenOptions,
): Promise<WeightStore> {
  const tensors = unpackGguf(gguf, config);
  const hasBlocks = tensors.some(({ inBlocks }) => inBlocks !== undefined);
  const isWanted = options.quantization?.kind !== 'blockwise' || hasBlocks;
  const quantization = isWanted ? options.quantization : undefined;
  const inPlace = ggufWeightsInPlace(gguf, config);
  if (quantization === undefined && inPlace !== null) {
    return selectWeights(config, inPlace, gguf.path);
  }
  // Rows are put in order by what the config says, which therefore must fit them.
  const selected = selectWeights(config, describeTensors(tensors, gguf.file), gguf.path);
  const source = {
    model: ggufModelName(gguf.path),
    sources: gguf.files,
    tensors: tensors.filter(({ name }) => selected.tensors.has(name)),
    ...(inPlace !== null && { inPlace: selectWeights(config, inPlace, gguf.path) }),
  };
  if (quantization === undefined) {
    return selectWeights(config, await unpackedWeights(source, options), gguf.path);
  }
  return quantizedWeights(config, source, quantization, options);
}
