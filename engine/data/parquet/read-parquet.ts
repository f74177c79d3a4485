import type { FileHandle } from 'node:fs/promises';
import { type AsyncBuffer, parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { type OpenedFile, openRegularFile } from '../../bounded-file.ts';
import { messageOf } from '../../errors.ts';
import { parseJson } from '../../json.ts';
import { cannotRead, corruptFile } from '../file-problem.ts';
import { decodeUtf8 } from '../lines.ts';
import type { Row } from '../row.ts';
import { type ParquetFooter, readFooter } from './parquet-footer.ts';
import { checkPages } from './parquet-pages.ts';

/** Gives the bytes from one position to another. */
export type ReadBytes = (start: number, end: number) => Promise<Uint8Array<ArrayBuffer>>;

/**
 * Apache Parquet, one row group in memory at a time. `line` is the number of the row.
 *
 * @throws LorafaError `data.not_found` when the file cannot be read, `data.corrupt` when it is
 * damaged, cut short or holds text that is not valid UTF-8.
 */
export async function* readParquet(file: string): AsyncGenerator<Row> {
  const { handle, size } = await open(file);
  try {
    const read: ReadBytes = (start, end) => readBytes(handle, start, end);
    const footer = await orCorrupt(file, () => readFooter(size, read));
    const total = Number(footer.metadata.num_rows);
    let rowStart = 0;
    for (const [group, { rows: count }] of footer.groups.entries()) {
      const rows = await orCorrupt(file, () => readGroup(footer, group, rowStart, size, read));
      for (const [index, value] of rows.entries()) {
        const line = rowStart + index + 1;
        yield { file, line, value, progress: line / total };
      }
      rowStart += count;
    }
  } finally {
    await handle.close();
  }
}

/** The rows of one group, of whose index and first row it is told. */
export async function readGroup(
  { metadata, groups }: ParquetFooter,
  index: number,
  rowStart: number,
  size: number,
  read: ReadBytes,
): Promise<Readonly<Record<string, unknown>>[]> {
  const { rows, chunks } = groups[index]!;
  if (rows === 0) return [];
  for (const chunk of chunks) {
    checkPages(await read(chunk.start, chunk.end), chunk, rows, compressors);
  }
  const file: AsyncBuffer = {
    byteLength: size,
    slice: (start, end = size) => {
      const bytes = read(start, end).then(({ buffer }) => buffer);
      // The library reads ahead, and does not wait for all of it when something else is wrong.
      bytes.catch(() => undefined);
      return bytes;
    },
  };
  return parquetReadObjects({
    file,
    metadata,
    rowStart,
    rowEnd: rowStart + rows,
    compressors,
    rowFormat: 'object',
    parsers: {
      stringFromBytes: textOf,
      jsonFromBytes: (bytes) => (bytes === undefined ? undefined : parseJson(textOf(bytes)!)),
      // Nobody learns from the shapes of the earth, and their reader is recursive.
      geometryFromBytes: () => null,
      geographyFromBytes: () => null,
    },
  });
}

/** Unlike the library's own parser, refuses bytes that are not UTF-8 instead of replacing them. */
function textOf(bytes: Uint8Array | undefined): string | undefined {
  if (bytes === undefined) return undefined;
  const text = decodeUtf8(bytes);
  if (text === undefined) throw new Error('a text is not valid UTF-8');
  return text;
}

async function open(file: string): Promise<OpenedFile> {
  try {
    return await openRegularFile(file);
  } catch (error) {
    throw cannotRead(file, error);
  }
}

/** The bytes from one position to another, in a buffer of their own. */
async function readBytes(
  handle: FileHandle,
  start: number,
  end: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(Math.max(0, end - start));
  for (let done = 0; done < bytes.length; ) {
    const { bytesRead } = await handle.read(bytes, done, bytes.length - done, start + done);
    if (bytesRead === 0) throw new Error('it ends early');
    done += bytesRead;
  }
  return bytes;
}

async function orCorrupt<T>(file: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw corruptFile(file, `${messageOf(error)}; write or download it again`);
  }
}
