import { LorafaError } from '../errors.ts';
import { openSafetensors } from '../formats/safetensors.ts';
import { readTensor } from '../formats/tensor-data.ts';

/**
 * Reads tensors of a file of a checkpoint.
 *
 * @param expected their names, and the lengths that they must have
 * @throws LorafaError `checkpoint.corrupt`, and `checkpoint.mismatch` for other tensors
 */
export async function readCheckpointTensors(
  file: string,
  expected: ReadonlyMap<string, { readonly length: number }>,
): Promise<Map<string, Float32Array>> {
  const { tensors } = await openSafetensors(file, {
    notFound: 'checkpoint.corrupt',
    corrupt: 'checkpoint.corrupt',
  });
  const values = new Map<string, Float32Array>();
  for (const [name, { length }] of expected) {
    const location = tensors.get(name);
    const data = location === undefined ? undefined : await readTensor(location);
    if (data?.length !== length) {
      throw new LorafaError(
        'checkpoint.mismatch',
        `${file} does not belong to this run: its tensor "${name}" is ${data === undefined ? 'missing' : `${data.length} numbers long, not ${length}`}.`,
        { location: { file } },
      );
    }
    values.set(name, data);
  }
  return values;
}
