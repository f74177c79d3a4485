import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { LorafaError } from '../../errors.ts';
import { compressionOf, withoutCompression } from '../compression.ts';
import { dataFormat } from '../data-format.ts';
import type { BadRow, Row } from '../row.ts';
import { textSize } from '../text-size.ts';
import type { OnScanned, SeekableRows } from './seekable-rows.ts';

/** Bytes of a file, unpacked, that is kept in memory although data are streamed. */
export const MAX_KEPT_BYTES = 2 ** 26;

/** The same of its rows as JSON, which repeats the names of columns in each. */
const MAX_JSON_LENGTH = 4 * MAX_KEPT_BYTES;

/** Rows of a block. */
const BLOCK_ROWS = 64;

/** Rows that are looked through before messages are let in. */
const PORTION_ROWS = 1000;

/** The rows of a file in a format that can only be read from its beginning, all of them in memory. */
export class MemoryRows implements SeekableRows {
  readonly file: string;
  readonly blocks: ArrayLike<number>;
  readonly digest: string;
  readonly #rows: readonly (Row | BadRow)[];

  private constructor(file: string, rows: readonly (Row | BadRow)[], digest: string) {
    this.file = file;
    this.#rows = rows;
    this.digest = digest;
    const count = Math.ceil(rows.length / BLOCK_ROWS);
    this.blocks = Array.from({ length: count }, (_, index) => index * BLOCK_ROWS);
  }

  /**
   * @throws LorafaError `config.invalid_value` for a large file, before it is read where it says how large
   * it is; and what its reader throws
   */
  static async open(
    file: string,
    read: (file: string) => AsyncGenerator<Row | BadRow>,
    onScanned: OnScanned = () => undefined,
  ): Promise<MemoryRows> {
    await refuseLarge(file);
    let length = 0;
    const rows: (Row | BadRow)[] = [];
    const hash = createHash('sha256');
    for await (const row of read(file)) {
      rows.push(row);
      const json = JSON.stringify('value' in row ? row.value : row.reason, textOfBigInt);
      length += json.length;
      if (length > MAX_JSON_LENGTH) throw cannotStream(file, length);
      hash.update(json);
      if (rows.length % PORTION_ROWS > 0) continue;
      onScanned(row.progress);
      await setImmediate();
    }
    return new MemoryRows(file, rows, hash.digest('hex'));
  }

  get rows(): number {
    return this.#rows.length;
  }

  async *read(start: number, end: number): AsyncGenerator<Row | BadRow> {
    yield* this.#rows.slice(start, end);
  }
}

/**
 * Refuses a file that is not to be kept in memory, by what it says about its size.
 *
 * @throws LorafaError `config.invalid_value`, or `data.not_found`
 */
export async function refuseLarge(file: string): Promise<void> {
  const size = await textSize(file);
  if (size > MAX_KEPT_BYTES) throw cannotStream(file, size);
}

function cannotStream(file: string, size: number): LorafaError {
  const mebibytes = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`;
  const isPacked = compressionOf(file) !== undefined;
  const canUnpack = isPacked && dataFormat(withoutCompression(file)).open !== undefined;
  const advice = canUnpack
    ? 'unpack it'
    : `${isPacked ? 'unpack it and ' : ''}save it as .jsonl, .parquet or .arrow`;
  return new LorafaError(
    'config.invalid_value',
    `${file} cannot be streamed, since rows in its format are found only by reading it from its start, and its text (${isPacked ? 'about ' : ''}${mebibytes(size)}) is more than the ${mebibytes(MAX_KEPT_BYTES)} that are kept in memory then; ${advice}, or set data.streaming to false to keep the tokens of all of it in memory.`,
    { location: { file } },
  );
}

function textOfBigInt(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}
