import { realpath } from 'node:fs/promises';
import { GGMLQuantizationType, gguf, type MetadataValue } from '@huggingface/gguf';
import { type OpenedFile, openRegularFile, readAt } from '../bounded-file.ts';
import { type ErrorCode, LorafaError, messageOf } from '../errors.ts';
import type { FileHead } from '../formats/file-head.ts';
import { elementCount, formatShape } from '../formats/tensor-location.ts';
import { checkGgufHeader } from './gguf-header.ts';

/** How GGML stores a tensor: blocks of `elements` values in `bytes` bytes along the last dimension. */
interface BlockLayout {
  readonly elements: number;
  readonly bytes: number;
}

/** The storage types that can be read, by GGML's names. */
const LAYOUTS = {
  F32: { elements: 1, bytes: 4 },
  F16: { elements: 1, bytes: 2 },
  BF16: { elements: 1, bytes: 2 },
  Q4_0: { elements: 32, bytes: 18 },
  Q4_1: { elements: 32, bytes: 20 },
  Q5_0: { elements: 32, bytes: 22 },
  Q5_1: { elements: 32, bytes: 24 },
  Q8_0: { elements: 32, bytes: 34 },
  Q4_K: { elements: 256, bytes: 144 },
  Q5_K: { elements: 256, bytes: 176 },
  Q6_K: { elements: 256, bytes: 210 },
} as const satisfies Record<string, BlockLayout>;

export type GgmlType = keyof typeof LAYOUTS;

/** Block layout of every readable storage type. */
export const BLOCK_LAYOUTS: Readonly<Record<GgmlType, BlockLayout>> = LAYOUTS;

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

/** The header of a GGUF file, checked; the data stays on disk. */
export interface GgufFile {
  /** Path as the user wrote it, for messages. */
  readonly path: string;
  /** Path with symbolic links resolved. */
  readonly file: string;
  readonly metadata: ReadonlyMap<string, MetadataValue>;
  readonly tensors: ReadonlyMap<string, GgufTensor>;
}

/**
 * Opens a GGUF file and checks that every tensor lies in it.
 *
 * @param head what is known of a file that is not here, whose tensors cannot be read
 * @throws LorafaError `model.not_found`, `model.corrupt`, or `model.unsupported` for a storage type
 * that is not known, big-endian files and split files.
 */
export async function openGguf(path: string, head?: FileHead): Promise<GgufFile> {
  const fail = failureOf(path);
  const { file, size, header } = await (head === undefined
    ? readFromFile(path, fail)
    : readFromHead(path, head, fail));
  if (!header.littleEndian) throw fail('model.unsupported', 'is big-endian, which is not known');
  const metadata = new Map<string, MetadataValue>(Object.entries(header.metadata));
  const parts = Number(metadata.get('split.count') ?? 1);
  if (parts > 1) {
    throw fail('model.unsupported', `is one of ${parts} parts; merge them into one file first`);
  }

  const tensors = new Map<string, GgufTensor>();
  for (const info of header.tensorInfos) {
    const about = `holds tensor ${JSON.stringify(info.name)}`;
    const shape = info.shape.map(Number).reverse();
    const type = GGMLQuantizationType[info.dtype];
    if (!isGgmlType(type)) {
      throw fail(
        'model.unsupported',
        `${about} stored as ${type ?? `type ${info.dtype}`}; known are ${Object.keys(LAYOUTS).join(', ')}`,
      );
    }
    const { elements, bytes } = BLOCK_LAYOUTS[type];
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

type Fail = (code: ErrorCode, cause: string, offset?: number, error?: unknown) => LorafaError;

function failureOf(path: string): Fail {
  return (code, cause, offset, error) =>
    new LorafaError(code, `${path} ${cause}.`, {
      location: offset === undefined ? { file: path } : { file: path, offset },
      ...(error === undefined ? {} : { cause: error }),
    });
}

/** What the library makes of a header, in a file of so many bytes. */
interface ReadHeader {
  readonly file: string;
  readonly size: number;
  readonly header: Awaited<ReturnType<typeof gguf>>;
}

async function readFromFile(path: string, fail: Fail): Promise<ReadHeader> {
  let file: string;
  let opened: OpenedFile;
  try {
    file = await realpath(path);
    opened = await openRegularFile(file);
  } catch (error) {
    throw fail('model.not_found', `cannot be opened (${messageOf(error)})`, undefined, error);
  }
  const { handle, size } = opened;
  const read = (start: number, length: number): Promise<Buffer<ArrayBuffer>> =>
    readAt(handle, Buffer.allocUnsafe(length), start);
  try {
    await checkGgufHeader({ size, read }).finally(() => handle.close());
    return { file, size, header: await gguf(file, { allowLocalFile: true }) };
  } catch (error) {
    throw unreadable(fail, error);
  }
}

async function readFromHead(file: string, head: FileHead, fail: Fail): Promise<ReadHeader> {
  const { bytes, size } = head;
  const read = async (start: number, length: number): Promise<Buffer<ArrayBuffer>> =>
    Buffer.from(bytes.subarray(start, start + length));
  try {
    await checkGgufHeader({ size: bytes.length, read });
    // The library asks for parts of an address, and is answered from memory.
    const header = await gguf(HEAD_ADDRESS, { fetch: answerFrom(head) });
    return { file, size, header };
  } catch (error) {
    throw unreadable(fail, error);
  }
}

/** Of no host (RFC 2606); anything else is a file for the library. */
const HEAD_ADDRESS = 'https://head.invalid/';

/** Answers for parts of a file with what is known of it. */
function answerFrom({ bytes, size }: FileHead): typeof fetch {
  return async (_, init) => {
    const [, start, end] = /^bytes=(\d+)-(\d+)$/.exec(new Headers(init?.headers).get('range')!)!;
    return new Response(bytes.subarray(Number(start), Number(end) + 1), {
      status: 206,
      headers: { 'content-range': `bytes ${start}-${end}/${size}` },
    });
  };
}

function unreadable(fail: Fail, error: unknown): LorafaError {
  const problem = `has no readable GGUF header (${messageOf(error)}); download or copy it again`;
  return fail('model.corrupt', problem, 0, error);
}

function isGgmlType(name: string | undefined): name is GgmlType {
  return name !== undefined && Object.hasOwn(LAYOUTS, name);
}
