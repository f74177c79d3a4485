import { type OpenedFile, openRegularFile, readAt } from '../../bounded-file.ts';
import { cannotRead, changedFile } from '../file-problem.ts';
import { type Line, linesIn } from '../lines.ts';
import type { BadRow, Row } from '../row.ts';
import { cachedIndex } from './index-cache.ts';
import { indexLines, type LineIndex } from './line-index.ts';
import type { OnScanned, SeekableRows } from './seekable-rows.ts';
import { lastAtMost } from './sorted.ts';

/** What is on a line, by the format of its file. */
export type RowOfLine = (line: Line) => Row | BadRow;

/** The rows of a file with one row a line. */
export class LineRows implements SeekableRows {
  readonly file: string;
  readonly #index: LineIndex;
  readonly #modified: number;
  readonly #rowOf: RowOfLine;

  private constructor(file: string, index: LineIndex, modified: number, rowOf: RowOfLine) {
    this.file = file;
    this.#index = index;
    this.#modified = modified;
    this.#rowOf = rowOf;
  }

  /**
   * Finds the rows of a file, which takes as long as reading it where that was not done before.
   *
   * @throws LorafaError `data.not_found` when it cannot be read, `data.corrupt` when it is no text
   */
  static async open(file: string, rowOf: RowOfLine, onScanned?: OnScanned): Promise<LineRows> {
    return withFile(file, async (opened) => {
      const stats = await opened.handle.stat();
      const index = await cachedIndex(file, stats, () => indexLines(file, opened, onScanned));
      return new LineRows(file, index, stats.mtimeMs, rowOf);
    });
  }

  get rows(): number {
    return this.#index.rows;
  }

  get blocks(): ArrayLike<number> {
    return this.#index.starts;
  }

  get digest(): string {
    return this.#index.digest;
  }

  async *read(start: number, end: number): AsyncGenerator<Row | BadRow> {
    const { offsets, lines, starts, size } = this.#index;
    const block = lastAtMost(starts, start);
    const offset = offsets[block]!;
    const bytes = await this.#bytes(offset, offsets[block + 1] ?? size);
    let row = starts[block]!;
    for await (const line of linesIn([bytes], {
      file: this.file,
      line: lines[block]! + 1,
      offset,
      progressAt: (position) => position / size,
    })) {
      if (row >= start && row < end) yield 'text' in line ? this.#rowOf(line) : line;
      row += 1;
    }
  }

  async #bytes(start: number, end: number): Promise<Buffer> {
    return withFile(this.file, async ({ handle, size }) => {
      const { mtimeMs } = await handle.stat();
      const bytes = await readAt(handle, Buffer.allocUnsafe(end - start), start);
      const isSame = size === this.#index.size && mtimeMs === this.#modified;
      if (!isSame || bytes.length < end - start) throw changedFile(this.file);
      return bytes;
    });
  }
}

async function withFile<T>(file: string, action: (opened: OpenedFile) => Promise<T>): Promise<T> {
  let opened: OpenedFile | undefined;
  try {
    opened = await openRegularFile(file);
    return await action(opened);
  } catch (error) {
    throw cannotRead(file, error);
  } finally {
    await opened?.handle.close();
  }
}
