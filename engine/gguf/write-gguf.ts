import {
  GGMLQuantizationType,
  type GGUFTypedMetadata,
  GGUFValueType,
  serializeGgufMetadata,
} from '@huggingface/gguf';
import { LorafaError } from '../errors.ts';
import { type AtomicFile, writeAtomically } from '../files/atomic-file.ts';
import { elementCount, formatShape } from '../formats/tensor-location.ts';
import { BLOCK_FORMATS, type GgmlType } from './dequantize/formats.ts';
import { type GgufEntries, typedEntries } from './gguf-entries.ts';

/**
 * What every tensor begins at a multiple of, as the file says: a line of a processor's caches. Where a file says nothing it is
 * 32, and products that read weights where they lie then read across lines.
 */
const ALIGNMENT = 64;

/** One tensor to write. */
export interface GgufTensorToWrite {
  /** `blk.0.attn_q.weight` */
  readonly name: string;
  readonly type: GgmlType;
  /** Outermost dimension first, as everywhere but in GGUF. */
  readonly shape: readonly number[];
  /** Its bytes, piece by piece; a piece may have the buffer of the one before. */
  readonly pieces: () => AsyncIterable<Uint8Array>;
}

/** Bytes that the values of a shape take in a type of blocks. */
export function ggmlBytes(type: GgmlType, shape: readonly number[]): number {
  const { elements, bytes } = BLOCK_FORMATS[type];
  return (elementCount(shape) / elements) * bytes;
}

/**
 * Writes a GGUF file (version 3, little-endian), atomically and tensor by tensor.
 *
 * @throws LorafaError `output.not_writable`, and whatever the making of a tensor throws
 */
export async function writeGguf(
  path: string,
  metadata: GgufEntries,
  tensors: readonly GgufTensorToWrite[],
): Promise<void> {
  await writeAtomically(path, async (file) => {
    await file.write(encodeHeader(metadata, tensors));
    for (const tensor of tensors) await writeTensor(file, tensor);
  });
}

function encodeHeader(metadata: GgufEntries, tensors: readonly GgufTensorToWrite[]): Uint8Array {
  const entries = typedEntries(
    new Map([...metadata, ['general.alignment', { type: 'uint32', value: ALIGNMENT }]]),
  );
  const head = serializeGgufMetadata(
    {
      version: { value: 3, type: GGUFValueType.UINT32 },
      tensor_count: { value: BigInt(tensors.length), type: GGUFValueType.UINT64 },
      kv_count: { value: BigInt(Object.keys(entries).length), type: GGUFValueType.UINT64 },
      ...entries,
    } as GGUFTypedMetadata,
    { alignment: 1 },
  );
  let offset = 0;
  const infos = tensors.map((tensor) => {
    const info = encodeInfo(tensor, offset);
    offset += padded(ggmlBytes(tensor.type, tensor.shape));
    return info;
  });
  const header = Buffer.concat([head, ...infos]);
  return Buffer.concat([header, Buffer.alloc(padded(header.length) - header.length)]);
}

/** Name, dimensions (innermost first), type, and place from the end of the header. */
function encodeInfo({ name, type, shape }: GgufTensorToWrite, offset: number): Buffer {
  const text = Buffer.from(name);
  const info = Buffer.alloc(8 + text.length + 4 + 8 * shape.length + 4 + 8);
  let at = info.writeBigUInt64LE(BigInt(text.length));
  at += text.copy(info, at);
  at = info.writeUInt32LE(shape.length, at);
  for (const size of shape.toReversed()) at = info.writeBigUInt64LE(BigInt(size), at);
  at = info.writeUInt32LE(GGMLQuantizationType[type], at);
  info.writeBigUInt64LE(BigInt(offset), at);
  return info;
}

async function writeTensor(file: AtomicFile, tensor: GgufTensorToWrite): Promise<void> {
  const bytes = ggmlBytes(tensor.type, tensor.shape);
  let written = 0;
  for await (const piece of tensor.pieces()) {
    written += piece.byteLength;
    await file.write(piece);
  }
  if (written !== bytes) {
    throw new LorafaError(
      'internal.unexpected',
      `Tensor "${tensor.name}" of shape ${formatShape(tensor.shape)} and type ${tensor.type} was to be written with ${written} bytes.`,
    );
  }
  await file.write(new Uint8Array(padded(bytes) - bytes));
}

function padded(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}
