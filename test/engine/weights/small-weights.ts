import type { TensorToWrite } from '../../../engine/formats/safetensors-writer.ts';
import type { MadeWeights } from '../../../engine/weights/weight-cache.ts';

/** Weights of half a KiB to be made into a cache. */
export function smallWeights(data: TensorToWrite['data'] = new Float32Array(128)): MadeWeights {
  const tensors: TensorToWrite[] = [{ name: 'a', dtype: 'F32', shape: [128], data }];
  return { kind: 'nf4', version: 1, model: 'new', sources: [], tensors };
}
