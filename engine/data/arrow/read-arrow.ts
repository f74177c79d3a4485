import { type OpenedFile, readAt } from '../../bounded-file.ts';
import { messageOf } from '../../errors.ts';
import { type TimeLimit, withinTime } from '../../time-limit.ts';
import { changedFile, corruptFile } from '../file-problem.ts';
import type { Row } from '../row.ts';
import type { OnScanned, SeekableRows } from '../streaming/seekable-rows.ts';
import { lastAtMost } from '../streaming/sorted.ts';
import { type ArrowBatch, decodeBatch, rowOfBatch } from './arrow-batch.ts';
import { type ArrowIndex, indexArrow, withArrowFile } from './arrow-file.ts';

/** How long a record batch may take, however small it is, and the bytes a second of a large one. */
const DECODE_SECONDS = 2;
const SLOWEST_RATE = 2 ** 23;

/**
 * Apache Arrow: files of the IPC format (Feather) and streams, as `datasets` saves them, one record
 * batch in memory at a time. `line` is the number of the row.
 *
 * @throws LorafaError `data.not_found` when the file cannot be read, `data.corrupt` when it is damaged, cut
 * short or holds text that is not valid UTF-8.
 */
export async function* readArrow(file: string): AsyncGenerator<Row> {
  const rows = await ArrowRows.open(file);
  for (let block = 0; block < rows.blocks.length; block++) {
    yield* rows.read(rows.blocks[block]!, rows.blocks[block + 1] ?? rows.rows);
  }
}

/** The rows of an Arrow file; a block is a record batch. */
export class ArrowRows implements SeekableRows {
  readonly file: string;
  readonly rows: number;
  readonly blocks: Float64Array;
  readonly #index: ArrowIndex;
  readonly #modified: number;
  /** Places in the index of the record batches that have rows. */
  readonly #batches: readonly number[];
  #decoded: { readonly block: number; readonly batch: ArrowBatch } | undefined;

  private constructor(file: string, index: ArrowIndex, modified: number) {
    this.file = file;
    this.#index = index;
    this.#modified = modified;
    const { messages } = index;
    this.#batches = [...messages.keys()].filter((at) => messages[at]!.rows > 0);
    let rows = 0;
    this.blocks = Float64Array.from(this.#batches, (at) => {
      const start = rows;
      rows += messages[at]!.rows;
      return start;
    });
    this.rows = rows;
  }

  /** @throws LorafaError `data.not_found`, `data.corrupt` */
  static open(file: string, _?: OnScanned): Promise<ArrowRows> {
    return withArrowFile(file, async (opened) => {
      const { mtimeMs } = await opened.handle.stat();
      return new ArrowRows(file, await indexArrow(opened), mtimeMs);
    });
  }

  get digest(): string {
    return this.#index.digest;
  }

  async *read(start: number, end: number): AsyncGenerator<Row> {
    const block = lastAtMost(this.blocks, start);
    const first = this.blocks[block]!;
    const { file } = this;
    const batch = await this.#batch(block);
    for (let row = start; row < end; row++) {
      const progress = (row + 1) / this.rows;
      yield { file, line: row + 1, value: this.#value(batch, row - first), progress };
    }
  }

  #value(batch: ArrowBatch, row: number): Row['value'] {
    try {
      return rowOfBatch(batch, row);
    } catch (error) {
      throw corruptFile(this.file, `${messageOf(error)}; write or download it again`);
    }
  }

  async #batch(block: number): Promise<ArrowBatch> {
    if (this.#decoded?.block === block) return this.#decoded.batch;
    const batch = await withArrowFile(this.file, (opened) => this.#decode(opened, block));
    this.#decoded = { block, batch };
    return batch;
  }

  async #decode({ handle, size: found }: OpenedFile, block: number): Promise<ArrowBatch> {
    const { messages, size: indexed } = this.#index;
    const { mtimeMs } = await handle.stat();
    if (found !== indexed || mtimeMs !== this.#modified) throw changedFile(this.file);
    const at = this.#batches[block]!;
    // What a record batch refers to: the schema, and dictionaries that come before it.
    const needed = messages
      .slice(0, at + 1)
      .filter((each, index) => each.kind !== 'batch' || index === at);
    const bytes: Uint8Array[] = [];
    for (const { start, length } of needed) {
      // In a buffer of its own, where numbers are aligned.
      bytes.push(await readAt(handle, Buffer.from(new ArrayBuffer(length)), start));
    }
    const size = bytes.reduce((sum, { length }) => sum + length, 0);
    const limit: TimeLimit = {
      // What is compressed may be made to take for ever.
      seconds: DECODE_SECONDS + size / SLOWEST_RATE,
      code: 'data.corrupt',
      subject: `Decoding a record batch of ${this.file}`,
      advice: 'write or download it again',
      file: this.file,
    };
    return withinTime(limit, () => decodeBatch(bytes, messages[at]!.rows));
  }
}
