import type { DecoderConfig } from '../../engine/architectures/decoder-config.ts';
import { expectedTensors } from '../../engine/architectures/expected-tensors.ts';
import { describeTensors } from '../../engine/weights/weight-cache.ts';
import { WeightStore } from '../../engine/weights/weight-store.ts';

/** A model of which only names, types and shapes of tensors exist. */
export function describedModel(config: DecoderConfig, dtype: 'F32' | 'BF16' = 'F32') {
  const tensors = [...expectedTensors(config)].map(([name, shape]) => ({
    name,
    shape,
    dtype,
    data: new Uint8Array(),
  }));
  return {
    config,
    name: 'described',
    weights: new WeightStore(describeTensors(tensors, 'described')),
  };
}
