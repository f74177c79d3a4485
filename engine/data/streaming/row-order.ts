import { permutation, Random } from '../../random.ts';
import { lastAtMost } from './sorted.ts';

/** The random stream that orders the blocks of streamed data; others are used by `engine/data` and `engine/train`. */
const ORDER_STREAM = 0xffff_fffd;

/** Numbers that one use of a stream may take: positions that far apart share none. */
const APART = 2 ** 32;

/** Rows that follow each other in a file, which is one of several. */
export interface RowRange {
  readonly file: number;
  /** The first, and that after the last, counted from 0. */
  readonly start: number;
  readonly end: number;
}

/** Rows that stay together. The pieces of a block, which are read together, come after each other. */
export interface Piece extends RowRange {
  readonly block: number;
}

/**
 * Rows in random order, block by block: what comes at a place is a function of the seed and of the
 * place alone. The order goes on for ever, one pass over all rows after the other.
 */
export class RowOrder {
  /** Rows of a pass. */
  readonly rows: number;
  readonly #pieces: readonly Piece[];
  /** The first piece of each block, and behind the last. */
  readonly #starts: Uint32Array;
  readonly #seed: number;
  readonly #set: number;
  #pass: Pass | undefined;

  /**
   * @param pieces none of them empty, those of a block after each other
   * @param set which of several sets these are the rows of, so that each has an order of its own
   */
  constructor(pieces: readonly Piece[], seed: number, set: number) {
    this.#pieces = pieces;
    const isFirst = ({ block }: Piece, at: number): boolean => block !== pieces[at - 1]?.block;
    const starts = pieces.flatMap((piece, at) => (isFirst(piece, at) ? [at] : []));
    this.#starts = Uint32Array.from([...starts, pieces.length]);
    this.#seed = seed;
    this.#set = set;
    this.rows = pieces.reduce((sum, { start, end }) => sum + end - start, 0);
  }

  /** The rows from one place in the order to before another, as far as they follow each other in a file. */
  *between(start: number, end: number): Generator<RowRange> {
    for (let at = start; at < end; ) {
      const pass = Math.floor(at / this.rows);
      const { pieces, places } = this.#orderOf(pass);
      const place = at - pass * this.rows;
      const index = lastAtMost(places, place);
      const block = pieces[index]!;
      const from = block.start + place - places[index]!;
      const to = Math.min(block.end, from + end - at);
      yield { file: block.file, start: from, end: to };
      at += to - from;
    }
  }

  #orderOf(index: number): Pass {
    if (this.#pass?.index === index) return this.#pass;
    const random = new Random(this.#seed, ORDER_STREAM - this.#set);
    random.position = index * APART;
    const pieces: RowRange[] = [];
    for (const block of permutation(this.#starts.length - 1, random)) {
      const [start, end] = [this.#starts[block]!, this.#starts[block + 1]!];
      for (const at of permutation(end - start, random)) pieces.push(this.#pieces[start + at]!);
    }
    const places = new Float64Array(pieces.length);
    let place = 0;
    for (const [at, { start, end }] of pieces.entries()) {
      places[at] = place;
      place += end - start;
    }
    this.#pass = { index, pieces, places };
    return this.#pass;
  }
}

/** One pass over all rows. */
interface Pass {
  readonly index: number;
  /** The rows as they come. */
  readonly pieces: readonly RowRange[];
  /** How many rows come before each piece. */
  readonly places: Float64Array;
}
