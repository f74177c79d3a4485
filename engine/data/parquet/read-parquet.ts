import { createHash } from 'node:crypto';
import type { Stats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { type AsyncBuffer, parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { type OpenedFile, openRegularFile } from '../../bounded-file.ts';
import { messageOf } from '../../errors.ts';
import { parseJson } from '../../json.ts';
import { cannotRead, changedFile, corruptFile } from '../file-problem.ts';
import { decodeUtf8 } from '../lines.ts';
import type { Row } from '../row.ts';
import type { SeekableRows } from '../streaming/seekable-rows.ts';
import { lastAtMost } from '../streaming/sorted.ts';
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
  const rows = await ParquetRows.open(file);
  for (let block = 0; block < rows.blocks.length; block++) {
    yield* rows.read(rows.blocks[block]!, rows.blocks[block + 1] ?? rows.rows);
  }
}

type Values = Readonly<Record<string, unknown>>;

/** The rows of a Parquet file; a block is a row group. */
export class ParquetRows implements SeekableRows {
  readonly file: string;
  readonly rows: number;
  readonly blocks: Float64Array;
  readonly digest: string;
  readonly #footer: ParquetFooter;
  readonly #size: number;
  readonly #modified: number;
  /** Places in the footer of the row groups that have rows. */
  readonly #groups: readonly number[];
  #decoded: { readonly block: number; readonly rows: readonly Values[] } | undefined;

  private constructor(file: string, footer: ParquetFooter, { size, mtimeMs }: Stats) {
    this.file = file;
    this.#footer = footer;
    this.#size = size;
    this.#modified = mtimeMs;
    this.#groups = [...footer.groups.keys()].filter((group) => footer.groups[group]!.rows > 0);
    let rows = 0;
    this.blocks = Float64Array.from(this.#groups, (group) => {
      const start = rows;
      rows += footer.groups[group]!.rows;
      return start;
    });
    this.rows = rows;
    // What a writer says of its columns: where they are, how long, and between which values.
    this.digest = createHash('sha256')
      .update(JSON.stringify([size, footer.metadata], textOfBigInt))
      .digest('hex');
  }

  /** @throws LorafaError `data.not_found`, `data.corrupt` */
  static async open(file: string): Promise<ParquetRows> {
    const { handle, size } = await open(file);
    try {
      const stats = await handle.stat();
      const footer = await orCorrupt(file, () =>
        readFooter(size, (start, end) => readBytes(handle, start, end)),
      );
      return new ParquetRows(file, footer, stats);
    } finally {
      await handle.close();
    }
  }

  async *read(start: number, end: number): AsyncGenerator<Row> {
    const block = lastAtMost(this.blocks, start);
    const first = this.blocks[block]!;
    const rows = await this.#block(block);
    for (let row = start; row < end; row++) {
      const line = row + 1;
      yield { file: this.file, line, value: rows[row - first]!, progress: line / this.rows };
    }
  }

  async #block(block: number): Promise<readonly Values[]> {
    if (this.#decoded?.block === block) return this.#decoded.rows;
    this.#decoded = undefined;
    const { file } = this;
    const { handle, size } = await open(file);
    try {
      const { mtimeMs } = await handle.stat();
      if (size !== this.#size || mtimeMs !== this.#modified) throw changedFile(file);
      const read: ReadBytes = (start, end) => readBytes(handle, start, end);
      const rows = await orCorrupt(file, () =>
        readGroup(this.#footer, this.#groups[block]!, this.blocks[block]!, size, read),
      );
      this.#decoded = { block, rows };
      return rows;
    } finally {
      await handle.close();
    }
  }
}

function textOfBigInt(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
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
