import type { BaseModel } from '../models/base-model.ts';
import { bfloat16Problem, hasTiles } from '../runtime/bfloat16.ts';
import { CPU, type Device } from '../runtime/device.ts';
import { inBfloat16 } from '../weights/bfloat16-weights.ts';
import { hasBlocksOfBytes } from '../weights/blockwise-linear.ts';
import { WeightStore } from '../weights/weight-store.ts';

/**
 * A model's weights as answers are computed with them: in bfloat16, with float32's accuracy, where they are
 * stored in it and the device multiplies it. A token waits for the weights, of which upcasting reads and writes five
 * times as many bytes.
 */
export function generationWeights(
  { config, weights }: Pick<BaseModel, 'config' | 'weights'>,
  device: Device = CPU,
): WeightStore {
  const narrow = inBfloat16(config, weights);
  return narrow !== undefined && bfloat16Problem(device) === undefined ? narrow : weights;
}

/**
 * The weights as whole chunks of a prompt are read with them, where that is faster than as {@link generationWeights}
 * has them: codes of eight bits are unpacked to bfloat16 for each chunk, for which products by AMX make up. An output
 * layer that is stored in bfloat16 has float32's accuracy in both.
 */
export function chunkWeights(
  { config, weights }: Pick<BaseModel, 'config' | 'weights'>,
  device: Device = CPU,
): WeightStore | undefined {
  const isFaster = hasBlocksOfBytes(config, weights) && hasTiles(device);
  return isFaster ? new WeightStore(weights.tensors, 'bfloat16x2') : undefined;
}
