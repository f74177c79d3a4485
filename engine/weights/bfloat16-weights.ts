import { outputEmbeddingName } from '../architectures/decoder.ts';
import type { DecoderConfig } from '../architectures/decoder-config.ts';
import { linearModules } from '../architectures/linear-modules.ts';
import type { Parameters } from '../architectures/parameters.ts';
import type { TensorToWrite } from '../formats/safetensors-writer.ts';
import type { Value } from '../graph/value.ts';
import type { Bfloat16Mode } from './compute-mode.ts';
import { WeightStore } from './weight-store.ts';
import { readValues } from './weight-values.ts';

/** How the weights that are multiplied with are kept in bfloat16. */
export interface Bfloat16Options {
  readonly mode: Bfloat16Mode;
}

/** What a weight that had to be rounded is called. */
const SUFFIX = '.bfloat16';

/** A weight in bfloat16: the tensor that its place is taken by, itself where it is in it already. */
export function bfloat16Weight(weight: TensorToWrite): TensorToWrite {
  if (weight.dtype === 'BF16') return weight;
  const { name, shape } = weight;
  return { name: name + SUFFIX, dtype: 'BF16', shape, data: () => readValues(weight) };
}

/** The value that a weight is multiplied as, bfloat16 `[out, in]`. */
export function bfloat16Stored(parameters: Parameters, weight: string): Value {
  const rounded = weight + SUFFIX;
  return parameters.stored(parameters.has(rounded) ? rounded : weight);
}

/** The same weights for exact products in bfloat16, where all that are multiplied with are stored in it, as they are multiplied with. */
export function inBfloat16(
  config: DecoderConfig,
  { tensors }: WeightStore,
): WeightStore | undefined {
  const isIn = (weight: string): boolean => tensors.get(weight)?.dtype === 'BF16';
  const layers = linearModules(config).filter(({ inExpert }) => !inExpert);
  const areIn =
    isIn(outputEmbeddingName(config)) &&
    layers.every(({ name, fanInFanOut }) => isIn(`${name}.weight`) && !fanInFanOut);
  return areIn ? new WeightStore(tensors, 'bfloat16x2') : undefined;
}

/** Whether some weights are not those that the model has, but rounded. */
export function areRounded({ tensors }: WeightStore): boolean {
  return [...tensors.keys()].some((name) => name.endsWith(SUFFIX));
}
