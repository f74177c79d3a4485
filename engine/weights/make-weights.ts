import type { DecoderConfig } from '../architectures/decoder-config.ts';
import { defaultCacheFolder } from '../cache-folder.ts';
import type { TensorInBlocks } from '../formats/blockwise.ts';
import type { FileHead } from '../formats/file-head.ts';
import type { TensorLocation } from '../formats/tensor-location.ts';
import {
  areSame,
  computeModeOf,
  type Quantization,
  quantizedTensors,
  storedTensors,
} from './quantization.ts';
import {
  cachedWeights,
  describeTensors,
  type MadeWeights,
  type PlannedWeights,
  plannedWeights,
  type WeightProgress,
} from './weight-cache.ts';
import { WeightStore } from './weight-store.ts';

/** How to open a base model. */
export interface OpenOptions {
  /** In what the weights that are multiplied with are wanted; they stay as they are stored unless given. */
  readonly quantization?: Quantization | undefined;
  /** Where unpacked and quantized weights are kept; `defaultCacheFolder()` unless given. */
  readonly cacheFolder?: string;
  /**
   * Only look at the model: weights that a run would unpack or quantize are described as they will
   * be, in a place where they are not. Nothing is written, and their data cannot be read.
   */
  readonly headersOnly?: boolean;
  /** With `headersOnly`: the headers of weight files that are not here, by their paths. */
  readonly heads?: ReadonlyMap<string, FileHead>;
  /** With `headersOnly`: told of weights that a run would unpack or quantize, and whether they are there. */
  readonly onPlanned?: (weights: PlannedWeights) => void;
  /** Told about the unpacking of a GGUF file, which takes a while and happens once. */
  readonly onUnpack?: WeightProgress;
  /** Told about the quantization, which takes a while and happens once. */
  readonly onQuantize?: WeightProgress;
}

/** Raise when unpacking changes. */
const UNPACK_VERSION = 1;

/** Raise when a quantization changes. */
const QUANTIZATION_VERSION: { readonly [K in Quantization['kind']]: number } = {
  nf4: 1,
  int8: 1,
  bfloat16: 1,
  blockwise: 1,
};

/** Where weights come from: the model's name, its files, and all of its tensors. */
export interface WeightSource extends Pick<MadeWeights, 'model' | 'sources'> {
  readonly tensors: readonly TensorInBlocks[];
  /** Where the tensors lie, if it is there that sessions can have them from. */
  readonly inPlace?: WeightStore;
}

/** The weights of a store as a source of others. */
export function storedSource(model: string, weights: WeightStore): WeightSource {
  const files = new Set([...weights.tensors.values()].map(({ file }) => file));
  return {
    model,
    sources: [...files].toSorted(),
    tensors: storedTensors(weights),
    inPlace: weights,
  };
}

/** Weights unpacked into the cache; see `cachedWeights`. */
export function unpackedWeights(
  source: WeightSource,
  options: OpenOptions,
): Promise<ReadonlyMap<string, TensorLocation>> {
  const made = { ...source, kind: 'gguf' as const, version: UNPACK_VERSION };
  return makeWeights(made, options, options.onUnpack);
}

/**
 * Weights quantized into the cache, or left where they are if they need not be.
 *
 * @throws LorafaError `model.not_finite`, and as `cachedWeights`
 */
export async function quantizedWeights(
  config: DecoderConfig,
  { inPlace, ...source }: WeightSource,
  quantization: Quantization,
  options: OpenOptions,
): Promise<WeightStore> {
  const { kind } = quantization;
  const tensors = quantizedTensors(config, source.tensors, quantization);
  if (inPlace !== undefined && areSame(tensors, source.tensors)) {
    return new WeightStore(inPlace.tensors, computeModeOf(quantization));
  }
  const made = { ...source, tensors, kind, version: QUANTIZATION_VERSION[kind] };
  const weights = await makeWeights(made, options, options.onQuantize);
  return new WeightStore(weights, computeModeOf(quantization));
}

async function makeWeights(
  made: MadeWeights,
  { headersOnly = false, cacheFolder = defaultCacheFolder(), onPlanned }: OpenOptions,
  onProgress: WeightProgress = () => undefined,
): Promise<ReadonlyMap<string, TensorLocation>> {
  if (headersOnly) {
    onPlanned?.(await plannedWeights(made, cacheFolder));
    return describeTensors(made.tensors, made.sources[0] ?? made.model);
  }
  return cachedWeights(made, { cacheFolder, onProgress });
}
