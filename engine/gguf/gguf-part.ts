import { GGMLQuantizationType, type MetadataValue } from '@huggingface/gguf';
import type { FileHead } from '../formats/file-head.ts';
import { elementCount, formatShape } from '../formats/tensor-location.ts';
import { BLOCK_FORMATS, type GgmlType, isGgmlType } from './dequantize/formats.ts';
import { ggufFailure, readFromFile, readFromHead } from './read-gguf-header.ts';

/** Where one tensor of a GGUF file lies. */
export interface GgufTensor {
  /** GGUF's own name, e.g. `blk.0.attn_q.weight`. */
  readonly name: string;
  readonly type: GgmlType;
  /** Outermost dimension first, as everywhere but in GGUF. */
  readonly shape: readonly number[];
  /** Path of the file with symbolic links resolved. */
  readonly file: string;
  /** First byte, counted from the start of the file. */
  readonly offset: number;
  readonly length: number;
}

/** Numbers that weights of some types are multiplied with besides the scales in their blocks. */
const OUTER_SCALE = /\.(input_)?scale$/;

/** The header of one GGUF file, checked; the data stays on disk. */
export interface GgufPart {
  /** Path as it was given, for messages. */
  readonly path: string;
  /** Path with symbolic links resolved. */
  readonly file: string;
  readonly metadata: ReadonlyMap<string, MetadataValue>;
  readonly tensors: ReadonlyMap<string, GgufTensor>;
}

/**
 * Opens one GGUF file, be it a model or a part of one, and checks that every tensor lies in it.
 *
 * @param head what is known of a file that is not here, whose tensors cannot be read
 * @throws LorafaError `model.not_found`, `model.corrupt`, or `model.unsupported` for a storage type
 * that is not known and big-endian files.
 */
export async function openGgufPart(path: string, head?: FileHead): Promise<GgufPart> {
  const fail = ggufFailure(path);
  const { file, size, header } = await (head === undefined
    ? readFromFile(path, fail)
    : readFromHead(path, head, fail));
  if (!header.littleEndian) throw fail('model.unsupported', 'is big-endian, which is not known');
  const metadata = new Map<string, MetadataValue>(Object.entries(header.metadata));
  const tensors = new Map<string, GgufTensor>();
  for (const info of header.tensorInfos) {
    const about = `holds tensor ${JSON.stringify(info.name)}`;
    const shape = info.shape.map(Number).reverse();
    const type = GGMLQuantizationType[info.dtype];
    if (!isGgmlType(type)) {
      throw fail(
        'model.unsupported',
        `${about} stored as ${type ?? `type ${info.dtype}`}; known are ${Object.keys(BLOCK_FORMATS).join(', ')}`,
      );
    }
    if (OUTER_SCALE.test(info.name)) {
      throw fail('model.unsupported', `${about}, a scale of another one, which is not known`);
    }
    const { elements, bytes } = BLOCK_FORMATS[type];
    const length = (elementCount(shape) / elements) * bytes;
    if ((shape.at(-1) ?? 1) % elements !== 0 || !Number.isSafeInteger(length)) {
      throw fail(
        'model.corrupt',
        `${about} of shape ${formatShape(shape)}, impossible for ${type}`,
      );
    }
    const offset = Number(header.tensorDataOffset + info.offset);
    if (offset + length > size) {
      throw fail(
        'model.corrupt',
        `${about} at bytes ${offset} to ${offset + length} but ends after ${size} bytes; download or copy it again`,
        offset,
      );
    }
    if (tensors.has(info.name)) throw fail('model.corrupt', `${about} twice`);
    tensors.set(info.name, { name: info.name, type, shape, file, offset, length });
  }
  return { path, file, metadata, tensors };
}
