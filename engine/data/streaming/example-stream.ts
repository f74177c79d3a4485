import { createHash } from 'node:crypto';
import type { Tokenizer } from '../../tokenizer/tokenizer.ts';
import type { Dataset } from '../dataset-builder.ts';
import { mixedCount } from '../mix.ts';
import type { DataOptions } from '../options.ts';
import type { BadRow, Row } from '../row.ts';
import { RowOrder } from './row-order.ts';
import { StreamedSet } from './streamed-set.ts';

/** Data files that are learned from in one way. */
export interface DataSource {
  /** Files, each with an optional row slice. */
  readonly paths: readonly string[];
  readonly options: DataOptions;
  /** Rows for each row of the first source; undefined: all of them, once an epoch. */
  readonly weight: number | undefined;
}

/** How data are streamed. */
export interface StreamOptions {
  readonly seed: number;
  /** Rows that are held in memory, and shuffled among themselves. */
  readonly windowRows: number;
  /** Of the first source; see `splitExamples`. */
  readonly evalSplit: number | undefined;
  /** Told how far the files are looked through, 0 to 1. */
  readonly onScanned: (share: number) => void;
}

/** A source and the order of its rows. */
interface StreamedSource {
  readonly set: StreamedSet;
  readonly order: RowOrder;
  /** Rows of it in an epoch. */
  readonly rows: number;
}

/**
 * Training data that do not fit into memory, a window at a time. Which rows a window holds follows
 * from the seed and from its number alone, so that any window of any epoch can be read at once.
 *
 * A window takes from each source its share; of a source it takes blocks of rows in random order. All
 * windows of an epoch but the last hold about as many rows.
 */
export class ExampleStream {
  /** Rows of an epoch. */
  readonly rows: number;
  /** Windows of an epoch. */
  readonly windows: number;
  readonly windowRows: number;
  /** Tells data apart that hold other rows, or mix them otherwise. */
  readonly digest: string;
  readonly #sources: readonly StreamedSource[];

  private constructor(sources: readonly StreamedSource[], { seed, windowRows }: StreamOptions) {
    this.#sources = sources;
    this.windowRows = windowRows;
    this.rows = sources.reduce((sum, { rows }) => sum + rows, 0);
    this.windows = Math.ceil(this.rows / windowRows);
    const parts = sources.map(({ set, rows }) => [set.digest, rows]);
    this.digest = createHash('sha256')
      .update(JSON.stringify([seed, windowRows, parts]))
      .digest('hex');
  }

  /**
   * Finds the rows of the sources, of which there is at least one.
   *
   * @throws LorafaError for files that cannot be streamed or hold nothing that can be learned
   */
  static async open(
    sources: readonly DataSource[],
    tokenizer: Tokenizer,
    options: StreamOptions,
  ): Promise<ExampleStream> {
    const { seed, evalSplit, onScanned } = options;
    const streamed: StreamedSource[] = [];
    for (const [index, { paths, options: rowOptions, weight }] of sources.entries()) {
      const set = await StreamedSet.open(paths, tokenizer, rowOptions, {
        seed,
        evalSplit: index === 0 ? evalSplit : undefined,
        onScanned: (share) => onScanned((index + share) / sources.length),
      });
      const order = new RowOrder(set.pieces, seed, index);
      // Says that there are none, as it is said of data in memory.
      if (order.rows === 0) await set.examples([]);
      const first = streamed[0]?.rows ?? order.rows;
      streamed.push({ set, order, rows: mixedCount(order.rows, weight, first) });
    }
    return new ExampleStream(streamed, options);
  }

  /** How many rows of an epoch come from each source, and how many it has. */
  get shares(): readonly { readonly rows: number; readonly available: number }[] {
    return this.#sources.map(({ rows, order }) => ({ rows, available: order.rows }));
  }

  /** Rows in a window of an epoch. */
  rowsOf(window: number): number {
    return this.#end(window) - this.#end(window - 1);
  }

  /**
   * The examples of a window, those of each source together. There may be none, but in the very first
   * window, by which a run is planned.
   *
   * @throws LorafaError as `loadDataset`, for the rows of this window, and `data.corrupt` where a file
   * is not any more what it was
   */
  async window(epoch: number, window: number): Promise<readonly Dataset[]> {
    const datasets: Dataset[] = [];
    for (const { set, order, rows } of this.#sources) {
      const start = epoch * rows + this.#share(rows, window - 1);
      const end = epoch * rows + this.#share(rows, window);
      if (start < end) datasets.push(await set.part(order.between(start, end)));
    }
    const isFirst = epoch === 0 && window === 0;
    if (isFirst && datasets.every(({ examples }) => examples.length === 0)) {
      // Says that there are none, as it is said of data in memory.
      for (const { set, order, rows } of this.#sources) {
        await set.examples(order.between(0, this.#share(rows, 0)));
      }
    }
    return datasets;
  }

  /** The rows of the first source in the first window, as they are in the files. */
  firstRows(): AsyncGenerator<Row | BadRow> {
    const { set, order, rows } = this.#sources[0]!;
    return set.rows(order.between(0, this.#share(rows, 0)));
  }

  /** The held-out examples; undefined where none are held out. */
  async heldOut(): Promise<Dataset | undefined> {
    const { set } = this.#sources[0]!;
    return set.heldOut.length === 0 ? undefined : set.examples(set.heldOut);
  }

  /** The rows that are held out, as they are in the files. */
  heldOutRows(): AsyncGenerator<Row | BadRow> {
    const { set } = this.#sources[0]!;
    return set.rows(set.heldOut);
  }

  /** How many rows of an epoch there are up to the end of a window; -1: before the first. */
  #end(window: number): number {
    return Math.min(this.rows, (window + 1) * this.windowRows);
  }

  /** How many of so many rows of a source come up to the end of a window. */
  #share(rows: number, window: number): number {
    return Number((BigInt(rows) * BigInt(this.#end(window))) / BigInt(this.rows));
  }
}
