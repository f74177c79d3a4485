import { LorafaError } from '../errors.ts';
import type { TensorToWrite } from '../formats/safetensors-writer.ts';
import { isFloatDtype, widenTensor } from '../formats/tensor-data.ts';

/**
 * The values of a tensor that is to be written in another form. They are read anew each time, so
 * that no more than one weight is in memory.
 */
export async function readValues({ name, dtype, data }: TensorToWrite): Promise<Float32Array> {
  const made = await (typeof data === 'function' ? data() : data);
  if (made instanceof Float32Array) return made;
  if (isFloatDtype(dtype)) return widenTensor(dtype, made);
  throw new LorafaError('internal.unexpected', `"${name}" of type ${dtype} cannot be quantized.`);
}

/** What is said of a weight that no code stands for. */
export function notFiniteWeight({ name }: TensorToWrite): LorafaError {
  return new LorafaError(
    'model.not_finite',
    `Tensor "${name}" of the base model holds NaN or infinity; the model is damaged or was saved after a failed training, so use another copy.`,
  );
}
