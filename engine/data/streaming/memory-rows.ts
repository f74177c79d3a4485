import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { LorafaError } from '../../errors.ts';
import { fileSize } from '../bytes.ts';
import type { BadRow, Row } from '../row.ts';
import type { OnScanned, SeekableRows } from './seekable-rows.ts';

/** Bytes of a file that is kept in memory although data are streamed. */
const MAX_BYTES = 2 ** 26;

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
   * @throws LorafaError `config.invalid_value` for a large file, and what its reader throws
   */
  static async open(
    file: string,
    read: (file: string) => AsyncGenerator<Row | BadRow>,
    onScanned: OnScanned = () => undefined,
  ): Promise<MemoryRows> {
    const size = await fileSize(file);
    if (size > MAX_BYTES) {
      throw new LorafaError(
        'config.invalid_value',
        `${file} cannot be streamed, since rows in its format are found only by reading it from its start; save it as .jsonl, .parquet or .arrow, or set data.streaming to false to keep all of it in memory.`,
        { location: { file } },
      );
    }
    const rows: (Row | BadRow)[] = [];
    const hash = createHash('sha256');
    for await (const row of read(file)) {
      rows.push(row);
      hash.update(JSON.stringify('value' in row ? row.value : row.reason, textOfBigInt));
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

function textOfBigInt(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}
