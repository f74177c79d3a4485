import { realpath } from 'node:fs/promises';
import { gguf } from '@huggingface/gguf';
import { type OpenedFile, openRegularFile, readAt } from '../bounded-file.ts';
import { type ErrorCode, LorafaError, messageOf } from '../errors.ts';
import type { FileHead } from '../formats/file-head.ts';
import { checkGgufHeader } from './gguf-header.ts';

/** Makes an error about a GGUF file; `cause` goes on "FILE …". */
export type GgufFailure = (
  code: ErrorCode,
  cause: string,
  offset?: number,
  error?: unknown,
) => LorafaError;

export function ggufFailure(path: string): GgufFailure {
  return (code, cause, offset, error) =>
    new LorafaError(code, `${path} ${cause}.`, {
      location: offset === undefined ? { file: path } : { file: path, offset },
      ...(error === undefined ? {} : { cause: error }),
    });
}

/** What the library makes of a header, in a file of so many bytes. */
export interface ReadHeader {
  readonly file: string;
  readonly size: number;
  readonly header: Awaited<ReturnType<typeof gguf>>;
}

/** @throws LorafaError `model.not_found`, `model.corrupt` */
export async function readFromFile(path: string, fail: GgufFailure): Promise<ReadHeader> {
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

/**
 * @param head what is known of a file that is not here
 * @throws LorafaError `model.corrupt`
 */
export async function readFromHead(
  file: string,
  head: FileHead,
  fail: GgufFailure,
): Promise<ReadHeader> {
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

function unreadable(fail: GgufFailure, error: unknown): LorafaError {
  const problem = `has no readable GGUF header (${messageOf(error)}); download or copy it again`;
  return fail('model.corrupt', problem, 0, error);
}
