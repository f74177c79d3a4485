import { outputEmbeddingName } from '../architectures/decoder.ts';
import type { DecoderConfig } from '../architectures/decoder-config.ts';
import { linearModules } from '../architectures/linear-modules.ts';
import { isTied } from '../architectures/modules.ts';
import type { TensorInBlocks } from '../formats/blockwise.ts';
import type { TensorToWrite } from '../formats/safetensors-writer.ts';
import { readTensorRaw } from '../formats/tensor-data.ts';
import { transposed } from '../formats/transposed.ts';
import { type Bfloat16Options, bfloat16Weight } from './bfloat16-weights.ts';
import type { ComputeMode } from './compute-mode.ts';
import { int8Weight } from './int8-weights.ts';
import { type Nf4Options, nf4Weight } from './nf4-weights.ts';
import { describeTensors } from './weight-cache.ts';
import { WeightStore } from './weight-store.ts';
import { readValues } from './weight-values.ts';

/** In what the weights that are multiplied with are stored. */
export type Quantization =
  | ({ readonly kind: 'nf4'; readonly mode?: 'bfloat16' } & Nf4Options)
  | { readonly kind: 'int8' }
  | ({ readonly kind: 'bfloat16' } & Bfloat16Options)
  /** In the blocks that a GGUF file has them in, where they can be multiplied with; else as they are. */
  | { readonly kind: 'blockwise' };

/** How products with weights of a quantization are computed. */
export function computeModeOf(quantization: Quantization): ComputeMode {
  switch (quantization.kind) {
    case 'nf4':
      return quantization.mode ?? 'float32';
    case 'blockwise':
      return 'float32';
    case 'int8':
      return 'int8';
    case 'bfloat16':
      return quantization.mode;
  }
}

/**
 * A model's tensors with the linear layers of its decoder layers quantized, each made when it is
 * written. Embeddings, norms, biases and, but for bfloat16, the output layer keep their bytes, and
 * but for NF4 experts, whose products have more or fewer rows from run to run.
 */
export function quantizedTensors(
  config: DecoderConfig,
  tensors: readonly TensorInBlocks[],
  quantization: Quantization,
): TensorToWrite[] {
  if (quantization.kind === 'blockwise') return tensorsInBlocks(config, tensors);
  const linear = new Map(
    linearModules(config)
      .filter(({ inExpert }) => quantization.kind === 'nf4' || !inExpert)
      .map(({ name, fanInFanOut }) => [`${name}.weight`, fanInFanOut]),
  );
  const output = quantization.kind === 'bfloat16' ? outputEmbeddingName(config) : undefined;
  return tensors.flatMap((tensor) => {
    const fanInFanOut = linear.get(tensor.name);
    if (fanInFanOut !== undefined) {
      return quantizedWeight(fanInFanOut ? outFirst(tensor) : tensor, quantization);
    }
    if (tensor.name !== output) return [tensor];
    // Tokens are looked up in what the model has, even if it is multiplied with in bfloat16.
    const made = bfloat16Weight(tensor);
    return isTied(config) && made !== tensor ? [tensor, made] : [made];
  });
}

/** Linear layers, experts among them, and embeddings in blocks of codes where they can be had so. */
function tensorsInBlocks(
  config: DecoderConfig,
  tensors: readonly TensorInBlocks[],
): TensorToWrite[] {
  const multiplied = new Set([
    ...linearModules(config).map(({ name }) => `${name}.weight`),
    `${config.embedding.name}.weight`,
    outputEmbeddingName(config),
  ]);
  return tensors.flatMap((tensor) =>
    multiplied.has(tensor.name) ? (tensor.inBlocks ?? [tensor]) : [tensor],
  );
}

/** A weight that is stored `[in, out]`, as `[out, in]`, in which all that are made are. */
function outFirst(weight: TensorToWrite): TensorToWrite {
  const [inFeatures, outFeatures] = weight.shape as readonly [number, number];
  return {
    name: weight.name,
    dtype: 'F32',
    shape: [outFeatures, inFeatures],
    data: async () => transposed(await readValues(weight), inFeatures),
  };
}

function quantizedWeight(
  weight: TensorToWrite,
  quantization: Exclude<Quantization, { kind: 'blockwise' }>,
): TensorToWrite[] {
  switch (quantization.kind) {
    case 'nf4':
      return nf4Weight(weight, quantization);
    case 'int8':
      return int8Weight(weight);
    case 'bfloat16':
      return [bfloat16Weight(weight)];
  }
}

/** The tensors of a store, to be written elsewhere as they are. */
export function storedTensors(weights: WeightStore): TensorToWrite[] {
  return [...weights.tensors.values()].map((location) => ({
    name: location.name,
    dtype: location.dtype,
    shape: location.shape,
    data: () => readTensorRaw(location),
  }));
}

/** A model as it would be quantized; the places of the tensors are not real. */
export function describeQuantized<Model extends { config: DecoderConfig; weights: WeightStore }>(
  model: Readonly<Model>,
  quantization: Quantization,
): Model {
  const stored = storedTensors(model.weights);
  const tensors = quantizedTensors(model.config, stored, quantization);
  const places = areSame(tensors, stored) ? model.weights.tensors : describeTensors(tensors, '');
  return { ...model, weights: new WeightStore(places, computeModeOf(quantization)) };
}

/** Whether a quantization had nothing to do. */
export function areSame(
  quantized: readonly TensorToWrite[],
  stored: readonly TensorToWrite[],
): boolean {
  return quantized.length === stored.length && quantized.every((each, i) => each === stored[i]);
}
