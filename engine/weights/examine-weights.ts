import { createHash } from 'node:crypto';
import { defaultCacheFolder } from '../cache-folder.ts';
import { LorafaError } from '../errors.ts';
import { type FloatDtype, isFloatDtype, streamTensor } from '../formats/tensor-data.ts';
import { BYTES_PER_ELEMENT, type TensorLocation } from '../formats/tensor-location.ts';
import { isBelow } from '../is-below.ts';
import type { WeightStore } from './weight-store.ts';

/** Called with the number of bytes checked so far and in all. */
export type CheckProgress = (doneBytes: number, totalBytes: number) => void;

/**
 * Reads all weights once and looks for NaN and infinity, which would spoil a whole run. Only
 * exponent bits are looked at (all ones: not finite), so nothing is converted.
 *
 * @param model where a base model was opened from, and its weights, which may have been made from what lies there
 * @returns SHA-256 of names, types, shapes and bytes: the same for the same weights, wherever they lie
 * @throws LorafaError `model.not_finite`, naming tensor and element, and the file or, where that was made from it, the model.
 */
export async function examineWeights(
  model: { readonly path: string; readonly weights: WeightStore },
  onProgress: CheckProgress = () => undefined,
): Promise<string> {
  const locations = [...model.weights.tensors.values()].toSorted((a, b) =>
    a.name < b.name ? -1 : 1,
  );
  const totalBytes = locations.reduce((sum, { length }) => sum + length, 0);
  const hash = createHash('sha256');
  let doneBytes = 0;
  for (const location of locations) {
    const { name, dtype, shape } = location;
    hash.update(JSON.stringify([name, dtype, shape]));
    let startBytes = 0;
    for await (const chunk of streamTensor(location)) {
      hash.update(chunk);
      const index = isFloatDtype(dtype) ? findNotFinite(dtype, chunk) : -1;
      if (index >= 0) {
        throw notFinite(model.path, location, startBytes / BYTES_PER_ELEMENT[dtype] + index);
      }
      startBytes += chunk.byteLength;
      doneBytes += chunk.byteLength;
      onProgress(doneBytes, totalBytes);
    }
  }
  return hash.digest('hex');
}

/** Index of the first element that is NaN or infinite, or -1. */
function findNotFinite(dtype: FloatDtype, { buffer, byteLength }: Uint8Array<ArrayBuffer>): number {
  switch (dtype) {
    case 'F16':
      return findAllOnes(new Uint16Array(buffer, 0, byteLength / 2), 0x7c00);
    case 'BF16':
      return findAllOnes(new Uint16Array(buffer, 0, byteLength / 2), 0x7f80);
    case 'F32':
      return findAllOnes(new Uint32Array(buffer, 0, byteLength / 4), 0x7f800000);
    case 'F64':
      return new Float64Array(buffer, 0, byteLength / 8).findIndex((x) => !Number.isFinite(x));
  }
}

function findAllOnes(words: Uint16Array | Uint32Array, mask: number): number {
  for (let index = 0; index < words.length; index++) {
    if ((words[index]! & mask) === mask) return index;
  }
  return -1;
}

function notFinite(
  model: string,
  { name, file, offset, dtype }: TensorLocation,
  index: number,
): LorafaError {
  const isMade = isBelow(defaultCacheFolder(), file);
  return new LorafaError(
    'model.not_finite',
    `Tensor "${name}" in ${isMade ? model : file} holds NaN or infinity (element ${index}); the model is damaged or was saved after a failed training, so use another copy.`,
    {
      location: isMade
        ? { file: model }
        : { file, offset: offset + index * BYTES_PER_ELEMENT[dtype] },
    },
  );
}
