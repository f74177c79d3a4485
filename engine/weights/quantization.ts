import type { DecoderConfig } from '../architectures/decoder-config.ts';
import { linearModules } from '../architectures/linear-modules.ts';
import type { TensorToWrite } from '../formats/safetensors-writer.ts';
import { readTensorRaw } from '../formats/tensor-data.ts';
import type { ComputeMode } from './compute-mode.ts';
import { type Int8Options, int8Weight } from './int8-weights.ts';
import { type Nf4Options, nf4Weight } from './nf4-weights.ts';
import { describeTensors } from './weight-cache.ts';
import { WeightStore } from './weight-store.ts';

/** In what the weights of the decoder layers' linear layers are stored. */
export type Quantization =
  | ({ readonly kind: 'nf4' } & Nf4Options)
  | ({ readonly kind: 'int8' } & Int8Options);

/** How products with weights of a quantization are computed. */
export function computeModeOf(quantization: Quantization): ComputeMode {
  return quantization.kind === 'int8' ? quantization.mode : 'float32';
}

/**
 * A model's tensors with the linear layers of its decoder layers quantized, each made when it is
 * written. Embeddings, norms, biases and the output layer keep their bytes.
 */
export function quantizedTensors(
  config: DecoderConfig,
  tensors: readonly TensorToWrite[],
  quantization: Quantization,
): TensorToWrite[] {
  const linear = new Set(linearModules(config).map(({ name }) => `${name}.weight`));
  return tensors.flatMap((tensor) =>
    linear.has(tensor.name) ? quantizedWeight(tensor, quantization) : [tensor],
  );
}

function quantizedWeight(weight: TensorToWrite, quantization: Quantization): TensorToWrite[] {
  return quantization.kind === 'nf4'
    ? nf4Weight(weight, quantization)
    : int8Weight(weight, quantization);
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
  const tensors = quantizedTensors(model.config, storedTensors(model.weights), quantization);
  const weights = new WeightStore(describeTensors(tensors, ''), computeModeOf(quantization));
  return { ...model, weights };
}
