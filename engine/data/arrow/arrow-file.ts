import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { type OpenedFile, openRegularFile, readAt } from '../../bounded-file.ts';
import { LorafaError, messageOf } from '../../errors.ts';
import { cannotRead, corruptFile } from '../file-problem.ts';
import { type ArrowMessageKind, readMetadata } from './arrow-metadata.ts';

/** A message of an Arrow file or stream. */
export interface ArrowMessage {
  readonly kind: ArrowMessageKind;
  /** Where it starts, and how many bytes it has. */
  readonly start: number;
  readonly length: number;
  /** Rows of a record batch. */
  readonly rows: number;
}

/** What an Arrow file consists of. */
export interface ArrowIndex {
  /** In the order of the file: the schema, then dictionaries and record batches. */
  readonly messages: readonly ArrowMessage[];
  readonly size: number;
  /** SHA-256 of where everything is, in hexadecimal. */
  readonly digest: string;
}

/** The name at both ends of an Arrow file; a stream has none. */
const MAGIC = 'ARROW1';

/** A stream is inside of a file: behind the magic and two bytes. */
const FILE_HEAD = 8;

/** In front of each message since Arrow 0.15. */
const CONTINUATION = 0xffff_ffff;

const MAX_METADATA_BYTES = 2 ** 24;

/** Bytes of a record batch, which is read whole. */
const MAX_BODY_BYTES = 2 ** 30;

/** Bytes of a body that the digest is made of. */
const DIGESTED_BYTES = 256;

/** Opens a file for `action`. @throws LorafaError `data.not_found`, `data.corrupt` for what it throws */
export async function withArrowFile<T>(
  file: string,
  action: (opened: OpenedFile) => Promise<T>,
): Promise<T> {
  let opened: OpenedFile;
  try {
    opened = await openRegularFile(file);
  } catch (error) {
    throw cannotRead(file, error);
  }
  try {
    return await action(opened);
  } catch (error) {
    if (error instanceof LorafaError) throw error;
    throw corruptFile(file, `${messageOf(error)}; write or download it again`);
  } finally {
    await opened.handle.close();
  }
}

/** Goes from message to message. @throws Error for a file that is cut short, or is none of Arrow */
export async function indexArrow({ handle, size }: OpenedFile): Promise<ArrowIndex> {
  const head = String(await readAt(handle, Buffer.alloc(MAGIC.length), 0));
  const isFile = head === MAGIC;
  if (isFile) await requireEnd(handle, size);
  const messages: ArrowMessage[] = [];
  const hash = createHash('sha256');
  for (let start = isFile ? FILE_HEAD : 0; start < size; ) {
    const [first, second] = [await word(handle, start), await word(handle, start + 4)];
    const prefix = first === CONTINUATION ? 8 : 4;
    const length = first === CONTINUATION ? second : first;
    if (length === 0) break;
    if (length > MAX_METADATA_BYTES || start + prefix + length > size) {
      throw new Error(
        messages.length === 0 ? 'it is neither an Arrow file nor a stream' : 'it ends early',
      );
    }
    const bytes = await readAt(handle, Buffer.alloc(length), start + prefix);
    const { kind, bodyLength, rows } = readMetadata(bytes);
    if (kind !== 'schema' && messages.length === 0) throw new Error('it has no schema');
    if (bodyLength > MAX_BODY_BYTES) {
      throw new Error(
        `a record batch has ${Math.round(bodyLength / 2 ** 20)} MiB, more than the ${MAX_BODY_BYTES / 2 ** 20} MiB that are read at once; write it with smaller ones`,
      );
    }
    const whole = prefix + length + bodyLength;
    if (start + whole > size) throw new Error('it ends early');
    const body = Buffer.alloc(Math.min(bodyLength, DIGESTED_BYTES));
    hash.update(bytes).update(await readAt(handle, body, start + prefix + length));
    messages.push({ kind, start, length: whole, rows });
    start += whole;
  }
  if (messages.length === 0) throw new Error('it is neither an Arrow file nor a stream');
  return { messages, size, digest: hash.digest('hex') };
}

/**
 * The messages that are whole in the beginning of an Arrow file or stream, as a stream; empty where there
 * are none.
 *
 * @throws Error as {@link indexArrow}, for metadata that are none
 */
export function arrowStart(bytes: Buffer): Buffer {
  const first = bytes.toString('latin1', 0, MAGIC.length) === MAGIC ? FILE_HEAD : 0;
  let end = first;
  while (end + 8 <= bytes.length) {
    const prefix = bytes.readUInt32LE(end) === CONTINUATION ? 8 : 4;
    const length = bytes.readUInt32LE(end + prefix - 4);
    const metadata = bytes.subarray(end + prefix, end + prefix + length);
    if (length === 0 || metadata.length < length) break;
    const next = end + prefix + length + readMetadata(metadata).bodyLength;
    if (next > bytes.length) break;
    end = next;
  }
  return bytes.subarray(first, end);
}

async function requireEnd(handle: FileHandle, size: number): Promise<void> {
  const end = await readAt(handle, Buffer.alloc(MAGIC.length), size - MAGIC.length);
  if (size < 2 * FILE_HEAD || String(end) !== MAGIC) throw new Error('it ends early');
}

async function word(handle: FileHandle, position: number): Promise<number> {
  const bytes = await readAt(handle, Buffer.alloc(4), position);
  return bytes.length < 4 ? 0 : bytes.readUInt32LE();
}
