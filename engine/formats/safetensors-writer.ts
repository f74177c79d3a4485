import { LorafaError } from '../errors.ts';
import { type AtomicFile, writeAtomically } from '../files/atomic-file.ts';
import { isFloatDtype, narrowTensor } from './tensor-data.ts';
import {
  BYTES_PER_ELEMENT,
  elementCount,
  formatShape,
  type TensorDtype,
} from './tensor-location.ts';

/** Float32 values, rounded to the tensor's dtype when written, or its bytes as they are. */
export type TensorData = Float32Array | Uint8Array;

/** One tensor to write. */
export interface TensorToWrite {
  readonly name: string;
  readonly dtype: TensorDtype;
  readonly shape: readonly number[];
  /** The data, or what makes it when its turn has come, so that a large file needs little memory. */
  readonly data: TensorData | (() => TensorData | Promise<TensorData>);
}

/** A tensor whose bytes are made piece by piece, so that not even one large tensor is in memory. */
export interface StreamedTensor extends Pick<TensorToWrite, 'name' | 'dtype' | 'shape'> {
  /** A piece may have the buffer of the one before. */
  readonly pieces: () => AsyncIterable<Uint8Array>;
}

/** What the published writer lets data begin at a multiple of, in bytes. */
const ALIGNMENT = 8;

/**
 * The same for weights of a base model: a line of a processor's caches. Products with bfloat16 weights that lie
 * across lines took a token up to a third longer (SmolLM2-135M).
 */
export const WEIGHTS_ALIGNMENT = 64;

/**
 * Writes a safetensors file, atomically. The same tensors always give the same bytes: they are laid
 * out widest element type first, then by name (so that each is aligned to its element size), and
 * the header is padded with spaces up to the alignment.
 *
 * @param alignment a power of two: bytes that data begin at a multiple of
 * @throws LorafaError `output.not_writable`, and whatever the making of a tensor throws.
 */
export async function writeSafetensors(
  path: string,
  tensors: Iterable<TensorToWrite | StreamedTensor>,
  metadata: Readonly<Record<string, string>> = {},
  alignment = ALIGNMENT,
): Promise<void> {
  const ordered = [...tensors].sort(
    (a, b) =>
      BYTES_PER_ELEMENT[b.dtype] - BYTES_PER_ELEMENT[a.dtype] ||
      (a.name < b.name ? -1 : Number(a.name > b.name)),
  );
  await writeAtomically(path, async (file) => {
    await file.write(encodeHeader(ordered, metadata, alignment));
    for (const tensor of ordered) await writeData(file, tensor);
  });
}

function byteLength({ shape, dtype }: Pick<TensorToWrite, 'shape' | 'dtype'>): number {
  return elementCount(shape) * BYTES_PER_ELEMENT[dtype];
}

function encodeHeader(
  tensors: readonly (TensorToWrite | StreamedTensor)[],
  metadata: Readonly<Record<string, string>>,
  alignment: number,
): Uint8Array {
  // Entries are joined as text: an object would move integer-like names to the front.
  const entries: string[] = [];
  if (Object.keys(metadata).length > 0) entries.push(`"__metadata__":${JSON.stringify(metadata)}`);
  const names = new Set<string>(['__metadata__']);
  let offset = 0;
  for (const tensor of tensors) {
    const { name, dtype, shape } = tensor;
    if (names.has(name)) {
      throw new LorafaError('internal.unexpected', `Tensor "${name}" was to be written twice.`);
    }
    names.add(name);
    const end = offset + byteLength(tensor);
    const description = JSON.stringify({ dtype, shape, data_offsets: [offset, end] });
    entries.push(`${JSON.stringify(name)}:${description}`);
    offset = end;
  }
  const json = Buffer.from(`{${entries.join(',')}}`);
  const padding = -(8 + json.length) & (alignment - 1);
  const header = Buffer.alloc(8 + json.length + padding, ' ');
  header.writeBigUInt64LE(BigInt(json.length + padding));
  json.copy(header, 8);
  return header;
}

async function writeData(file: AtomicFile, tensor: TensorToWrite | StreamedTensor): Promise<void> {
  let written = 0;
  for await (const bytes of 'pieces' in tensor ? tensor.pieces() : wholeTensor(tensor)) {
    written += bytes.byteLength;
    await file.write(bytes);
  }
  if (written === byteLength(tensor)) return;
  throw new LorafaError(
    'internal.unexpected',
    `Tensor "${tensor.name}" of shape ${formatShape(tensor.shape)} and type ${tensor.dtype} was to be written with ${written} bytes.`,
  );
}

async function* wholeTensor(tensor: TensorToWrite): AsyncGenerator<Uint8Array> {
  const data = typeof tensor.data === 'function' ? await tensor.data() : tensor.data;
  yield data instanceof Float32Array ? encodeFloats(data, tensor) : data;
}

function encodeFloats(values: Float32Array, { name, dtype }: TensorToWrite): Uint8Array {
  if (isFloatDtype(dtype) && dtype !== 'F64') return narrowTensor(dtype, values);
  throw new LorafaError(
    'internal.unexpected',
    `Tensor "${name}" of type ${dtype} was to be written from float32 values.`,
  );
}
