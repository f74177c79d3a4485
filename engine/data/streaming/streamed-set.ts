import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { LorafaError } from '../../errors.ts';
import { permutation, Random } from '../../random.ts';
import type { Tokenizer } from '../../tokenizer/tokenizer.ts';
import { dataFormat } from '../data-format.ts';
import { describeDataPath, parseDataPath } from '../data-path.ts';
import { type Dataset, DatasetBuilder } from '../dataset-builder.ts';
import type { DataOptions } from '../options.ts';
import { type BadRow, isRow, type Row } from '../row.ts';
import { recogniseShape, type Shape } from '../shapes.ts';
import { HELD_OUT_STREAM, heldOutCount, heldOutTooMany } from '../split.ts';
import { MemoryRows } from './memory-rows.ts';
import type { Piece, RowRange } from './row-order.ts';
import type { OnScanned, SeekableRows } from './seekable-rows.ts';

/** Rows of a large block, such as a row group, that stay together. */
const PIECE_ROWS = 256;

/** Rows that may be held out. */
const MAX_HELD_OUT = 100_000;

/** Rows that are watched over together; see `DatasetBuilder.add`. */
const PORTION_ROWS = 25;

/** A set of data files whose rows are read when they are needed. */
export class StreamedSet {
  /** Its rows, without those that are held out. */
  readonly pieces: readonly Piece[];
  /** Rows that are held out. */
  readonly heldOut: readonly RowRange[];
  /** Tells sets apart that hold other rows. */
  readonly digest: string;
  readonly #files: readonly SeekableRows[];
  readonly #tokenizer: Tokenizer;
  readonly #options: DataOptions;
  readonly #shapes: ReadonlyMap<string, Shape>;

  private constructor(
    files: readonly SeekableRows[],
    parts: Pick<StreamedSet, 'pieces' | 'heldOut' | 'digest'>,
    shapes: ReadonlyMap<string, Shape>,
    tokenizer: Tokenizer,
    options: DataOptions,
  ) {
    ({ pieces: this.pieces, heldOut: this.heldOut, digest: this.digest } = parts);
    this.#files = files;
    this.#shapes = shapes;
    this.#tokenizer = tokenizer;
    this.#options = options;
  }

  /**
   * Finds the rows of data files.
   *
   * @param evalSplit see `splitExamples`; undefined where nothing is held out
   * @throws LorafaError for files that cannot be streamed, or hold no rows that can be understood
   */
  static async open(
    paths: readonly string[],
    tokenizer: Tokenizer,
    options: DataOptions,
    {
      seed,
      evalSplit,
      onScanned,
    }: { readonly seed: number; readonly evalSplit?: number | undefined; onScanned: OnScanned },
  ): Promise<StreamedSet> {
    const files: SeekableRows[] = [];
    const all: Piece[] = [];
    const hash = createHash('sha256');
    for (const [index, path] of paths.entries()) {
      const { file, start, end } = parseDataPath(path);
      const { open, read } = dataFormat(file);
      const scanned: OnScanned = (share) => onScanned((index + share) / paths.length);
      const rows =
        open === undefined ? await MemoryRows.open(file, read, scanned) : await open(file, scanned);
      files.push(rows);
      for (const piece of piecesOf(rows, index, { start, end, block: all.length })) all.push(piece);
      hash.update(JSON.stringify([rows.digest, start, Math.min(end, rows.rows)]));
    }
    const shapes = await shapesOf(files, options);
    const { pieces, heldOut } = split(all, evalSplit, seed);
    const parts = { pieces, heldOut, digest: hash.digest('hex') };
    return new StreamedSet(files, parts, shapes, tokenizer, options);
  }

  /**
   * The examples of some rows.
   *
   * @throws LorafaError as `loadDataset`, for these rows alone
   */
  async examples(ranges: Iterable<RowRange>): Promise<Dataset> {
    return (await this.#read(ranges)).finish();
  }

  /**
   * The examples of some rows of many, of which nothing may be learned.
   *
   * @throws LorafaError as `loadDataset` for rows that cannot be used
   */
  async part(ranges: Iterable<RowRange>): Promise<Dataset> {
    return (await this.#read(ranges)).part();
  }

  async #read(ranges: Iterable<RowRange>): Promise<DatasetBuilder> {
    const names = this.#files.map(({ file }) => describeDataPath(file));
    const builder = new DatasetBuilder(names, this.#tokenizer, this.#options, this.#shapes);
    let portion: (Row | BadRow)[] = [];
    for await (const row of this.rows(ranges)) {
      portion.push(row);
      if (portion.length < PORTION_ROWS) continue;
      builder.add(portion);
      portion = [];
      // Tokenizing does not wait for anything, and the process has to stay responsive.
      await setImmediate();
    }
    builder.add(portion);
    return builder;
  }

  /** Some rows as they are in their files. */
  async *rows(ranges: Iterable<RowRange>): AsyncGenerator<Row | BadRow> {
    for (const { file, start, end } of ranges) yield* this.#files[file]!.read(start, end);
  }
}

/**
 * The pieces of a file, as far as rows from `start` to before `end` are in them.
 *
 * @param from its blocks are counted from `block` on
 */
function* piecesOf(
  { rows, blocks }: SeekableRows,
  file: number,
  { start, end, block }: Omit<Piece, 'file'>,
): Generator<Piece> {
  for (let index = 0; index < blocks.length; index++) {
    const last = Math.min(end, blocks[index + 1] ?? rows);
    for (let at = Math.max(start, blocks[index]!); at < last; at += PIECE_ROWS) {
      yield { file, start: at, end: Math.min(last, at + PIECE_ROWS), block: block + index };
    }
  }
}

/** Each file has one shape, told by its first readable row, whichever rows are read first. */
async function shapesOf(
  files: readonly SeekableRows[],
  options: DataOptions,
): Promise<ReadonlyMap<string, Shape>> {
  const shapes = new Map<string, Shape>();
  for (const rows of files) {
    const first = await firstRow(rows);
    if (first !== undefined) shapes.set(rows.file, recogniseShape(first, options));
  }
  return shapes;
}

async function firstRow(rows: SeekableRows): Promise<Row | undefined> {
  for (const { start, end } of piecesOf(rows, 0, { start: 0, end: Infinity, block: 0 })) {
    for await (const row of rows.read(start, end)) if (isRow(row)) return row;
  }
  return undefined;
}

/** Holds back whole pieces, chosen by the seed alone, and of one of them a part. */
function split(
  all: readonly Piece[],
  evalSplit: number | undefined,
  seed: number,
): Pick<StreamedSet, 'pieces' | 'heldOut'> {
  if (evalSplit === undefined) return { pieces: all, heldOut: [] };
  const rows = all.reduce((sum, { start, end }) => sum + end - start, 0);
  const count = heldOutCount(rows, evalSplit);
  if (count >= rows) throw heldOutTooMany(evalSplit, rows);
  if (count > MAX_HELD_OUT) {
    throw new LorafaError(
      'config.invalid_value',
      `data.eval_split (${evalSplit}) would hold back ${count} rows, which are kept in memory although data are streamed; give a number of rows up to ${MAX_HELD_OUT}.`,
    );
  }
  const heldOut = new Map<number, Piece>();
  let left = count;
  for (const index of permutation(all.length, new Random(seed, HELD_OUT_STREAM))) {
    if (left === 0) break;
    const piece = all[index]!;
    const end = Math.min(piece.end, piece.start + left);
    heldOut.set(index, { ...piece, end });
    left -= end - piece.start;
  }
  return {
    pieces: all.flatMap((piece, index) => {
      const start = heldOut.get(index)?.end ?? piece.start;
      return start < piece.end ? [{ ...piece, start }] : [];
    }),
    heldOut: all.flatMap((_, index) => heldOut.get(index) ?? []),
  };
}
