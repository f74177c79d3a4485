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

/**
 * Rows in random order, block by block: what comes at a place is a function of the seed and of the
 * place alone. The order goes on for ever, one pass over all rows after the other.
 */
export class RowOrder {
  /** Rows of a pass. */
  readonly rows: number;
  readonly #blocks: readonly RowRange[];
  readonly #seed: number;
  readonly #set: number;
  #pass: Pass | undefined;

  /**
   * @param blocks none of them empty
   * @param set which of several sets these are the rows of, so that each has an order of its own
   */
  constructor(blocks: readonly RowRange[], seed: number, set: number) {
    this.#blocks = blocks;
    this.#seed = seed;
    this.#set = set;
    this.rows = blocks.reduce((sum, { start, end }) => sum + end - start, 0);
  }

  /** The rows from one place in the order to before another, as far as they follow each other in a file. */
  *between(start: number, end: number): Generator<RowRange> {
    for (let at = start; at < end; ) {
      const pass = Math.floor(at / this.rows);
      const { order, places } = this.#orderOf(pass);
      const place = at - pass * this.rows;
      const index = lastAtMost(places, place);
      const block = this.#blocks[order[index]!]!;
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
    const order = permutation(this.#blocks.length, random);
    const places = new Float64Array(order.length);
    let place = 0;
    for (const [at, block] of order.entries()) {
      places[at] = place;
      const { start, end } = this.#blocks[block]!;
      place += end - start;
    }
    this.#pass = { index, order, places };
    return this.#pass;
  }
}

/** One pass over all rows. */
interface Pass {
  readonly index: number;
  /** The blocks as they come. */
  readonly order: Uint32Array;
  /** How many rows come before each. */
  readonly places: Float64Array;
}
