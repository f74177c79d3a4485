import { openRegularFile } from '../bounded-file.ts';
import { compressionOf, unpacked } from './compression.ts';
import { cannotRead } from './file-problem.ts';

/** The bytes of a data file, unpacked where its name says that it is compressed. */
export interface ByteSource {
  /** Without a byte order mark. */
  readonly chunks: AsyncGenerator<Buffer>;
  /** Share of the file that has been read when so many bytes were made use of, 0 to 1. */
  readonly progressAt: (position: number) => number;
}

/**
 * Opens a data file as a stream.
 *
 * @throws LorafaError `data.not_found` when it cannot be read; while it is read also `data.corrupt`
 */
export async function openBytes(file: string): Promise<ByteSource> {
  const size = await fileSize(file);
  const compression = compressionOf(file);
  let packed = 0;
  async function* counted(): AsyncGenerator<Buffer> {
    for await (const chunk of readFile(file)) {
      packed += chunk.length;
      yield chunk;
    }
  }
  if (compression === undefined) {
    return {
      chunks: withoutMark(counted()),
      progressAt: (position) => Math.min(1, position / size),
    };
  }
  return {
    chunks: withoutMark(unpacked(file, compression, counted())),
    progressAt: () => Math.min(1, packed / size),
  };
}

async function* readFile(file: string): AsyncGenerator<Buffer> {
  try {
    const { handle } = await openRegularFile(file);
    const stream = handle.createReadStream({ highWaterMark: 2 ** 18 });
    for await (const chunk of stream as AsyncIterable<Buffer>) yield chunk;
  } catch (error) {
    throw cannotRead(file, error);
  }
}

async function* withoutMark(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let isStart = true;
  for await (const chunk of chunks) {
    yield isStart ? withoutByteOrderMark(chunk) : chunk;
    isStart = false;
  }
}

/** The bytes after a UTF-8 byte order mark, which some editors write at the start of a file. */
export function withoutByteOrderMark<T extends Uint8Array>(bytes: T): T {
  const hasMark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  return hasMark ? (bytes.subarray(3) as T) : bytes;
}

/** Size of a file in bytes, as it lies on the disk. @throws LorafaError `data.not_found` when it cannot be read. */
export async function fileSize(file: string): Promise<number> {
  try {
    const { handle, size } = await openRegularFile(file);
    await handle.close();
    return size;
  } catch (error) {
    throw cannotRead(file, error);
  }
}
