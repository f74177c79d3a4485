import { type FileHandle, open } from 'node:fs/promises';
import { LorafaError, messageOf } from '../errors.ts';
import {
  bfloat16ToFloat32,
  float16ToFloat32,
  float32ToBfloat16,
  float32ToFloat16,
} from './float16.ts';
import {
  BYTES_PER_ELEMENT,
  elementCount,
  type TensorDtype,
  type TensorLocation,
} from './tensor-location.ts';

/*
 * Reading the bytes of tensors. Files and typed arrays are both little-endian on every platform
 * that ONNX Runtime runs on, so bytes are reinterpreted, never swapped.
 */

/** Most bytes per chunk when a tensor is streamed. */
const CHUNK_BYTES = 8 * 2 ** 20;
/** The most that one read call moves on Linux is just below 2 GiB. */
const READ_BYTES = 2 ** 30;

/** Dtypes that {@link readTensor} turns into float32. */
export type FloatDtype = 'F64' | 'F32' | 'F16' | 'BF16';

/** Dtypes that {@link narrowTensor} writes float32 in. */
export type NarrowDtype = Exclude<FloatDtype, 'F64'>;

/** Whether a dtype is one of the float types. */
export function isFloatDtype(dtype: TensorDtype): dtype is FloatDtype {
  return dtype === 'F64' || dtype === 'F32' || dtype === 'F16' || dtype === 'BF16';
}

/** The part of a location that reading bytes needs, whatever the elements are. */
export type TensorBytes = Pick<TensorLocation, 'name' | 'file' | 'offset' | 'length'>;

async function openTensorFile(location: TensorBytes): Promise<FileHandle> {
  try {
    return await open(location.file, 'r');
  } catch (error) {
    throw new LorafaError(
      'model.not_found',
      `Cannot open ${location.file} to read tensor "${location.name}": ${messageOf(error)}; was it moved or deleted?`,
      { location: { file: location.file }, cause: error },
    );
  }
}

/** Fills `target` with the bytes of the tensor from `start` on (relative to the tensor). */
async function readInto(
  handle: FileHandle,
  location: TensorBytes,
  start: number,
  target: Uint8Array,
): Promise<void> {
  for (let done = 0; done < target.byteLength; ) {
    const position = location.offset + start + done;
    const length = Math.min(target.byteLength - done, READ_BYTES);
    const { bytesRead } = await handle.read(target, done, length, position);
    if (bytesRead === 0) {
      throw new LorafaError(
        'model.corrupt',
        `${location.file} ends at byte ${position}, inside tensor "${location.name}"; it was cut short, so download or copy it again.`,
        { location: { file: location.file, offset: position } },
      );
    }
    done += bytesRead;
  }
}

/**
 * Reads the bytes of a tensor as they are on disk. The array starts its own buffer, so that a
 * typed array of any element size can be laid over it.
 *
 * @throws LorafaError `model.not_found` or `model.corrupt` when the file changed since it was opened.
 */
export async function readTensorRaw(location: TensorBytes): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(location.length);
  const handle = await openTensorFile(location);
  try {
    await readInto(handle, location, 0, bytes);
  } finally {
    await handle.close();
  }
  return bytes;
}

/**
 * Streams the bytes of a tensor. Every chunk holds whole units and starts its own buffer; the
 * buffer is used again for the next one.
 *
 * @param unitBytes What must not be split, e.g. a row; 8 suits every element type.
 * @throws LorafaError as {@link readTensorRaw} does.
 */
export async function* streamTensor(
  location: TensorBytes,
  unitBytes = 8,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const handle = await openTensorFile(location);
  try {
    const chunkBytes = Math.max(1, Math.floor(CHUNK_BYTES / unitBytes)) * unitBytes;
    const buffer = new ArrayBuffer(Math.min(location.length, chunkBytes));
    for (let start = 0; start < location.length; start += chunkBytes) {
      const chunk = new Uint8Array(buffer, 0, Math.min(chunkBytes, location.length - start));
      await readInto(handle, location, start, chunk);
      yield chunk;
    }
  } finally {
    await handle.close();
  }
}

/**
 * Reads a float tensor as float32, row-major: F16 and BF16 exactly, F64 rounded.
 *
 * @throws LorafaError `model.unsupported` for a tensor of integers, and as {@link readTensorRaw}.
 */
export async function readTensor(location: TensorLocation): Promise<Float32Array<ArrayBuffer>> {
  const { dtype } = location;
  if (!isFloatDtype(dtype)) {
    throw new LorafaError(
      'model.unsupported',
      `Tensor "${location.name}" in ${location.file} holds ${dtype} where floating-point weights (F64, F32, F16, BF16) are needed.`,
      { location: { file: location.file, offset: location.offset } },
    );
  }
  if (dtype === 'F32') return new Float32Array((await readTensorRaw(location)).buffer);
  const values = new Float32Array(elementCount(location.shape));
  let done = 0;
  for await (const chunk of streamTensor(location)) {
    done += widenInto(dtype, chunk, values.subarray(done));
  }
  return values;
}

/**
 * The elements of a float tensor as float32: F16 and BF16 exactly, F64 rounded, F32 without a copy.
 *
 * @param bytes as they are on disk, aligned to the size of an element
 */
export function widenTensor(dtype: FloatDtype, bytes: Uint8Array): Float32Array {
  if (dtype === 'F32') {
    return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  }
  const values = new Float32Array(bytes.byteLength / BYTES_PER_ELEMENT[dtype]);
  widenInto(dtype, bytes, values);
  return values;
}

/** The bytes of float32 values in a float type, rounded to nearest; F32 without a copy. */
export function narrowTensor(dtype: NarrowDtype, values: Float32Array): Uint8Array {
  switch (dtype) {
    case 'F32':
      return bytesOf(values);
    case 'F16':
      return bytesOf(float32ToFloat16(values));
    case 'BF16':
      return bytesOf(float32ToBfloat16(values));
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array | Uint16Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** Widens one chunk to the start of `target`; returns the number of elements. */
function widenInto(
  dtype: Exclude<FloatDtype, 'F32'>,
  { buffer, byteOffset, byteLength }: Uint8Array,
  target: Float32Array,
): number {
  if (dtype === 'F64') {
    const doubles = new Float64Array(buffer, byteOffset, byteLength / 8);
    target.set(doubles);
    return doubles.length;
  }
  const bits = new Uint16Array(buffer, byteOffset, byteLength / 2);
  if (dtype === 'F16') float16ToFloat32(bits, target);
  else bfloat16ToFloat32(bits, target);
  return bits.length;
}
