import type { Pointer } from './c-api.ts';
import { largestDivisor } from './matvec.ts';
import { type Layout, matrix, type Onednn, type Primitive } from './onednn.ts';
import { Numbers } from './own-memory.ts';
import { releaseAll } from './shared-pool.ts';

/** What the attention of a chunk is computed for, whatever the number of keys. */
export interface ChunkSizes {
  readonly tokens: number;
  readonly numHeads: number;
  /** Divides the number of heads. */
  readonly numKeyValueHeads: number;
  readonly headDim: number;
}

/** Where the inputs lie; see `chunkAttention` of `engine/graph/ops/grouped-attention.ts`. */
export interface ChunkInputs {
  readonly query: Pointer;
  readonly key: Pointer;
  readonly value: Pointer;
  readonly bias: Pointer;
}

/** Scores that are computed at once, unless those of the heads of one key are more. */
const SCORES = 2 ** 22;

const FLOAT32_BYTES = 4;

/** What is computed with for one number of keys. */
interface ForKeys {
  readonly keys: number;
  /** Heads of keys that are computed at once. */
  readonly groups: number;
  readonly score: Primitive;
  readonly addBias: Primitive;
  readonly softmax: Primitive;
  readonly weigh: Primitive;
}

/**
 * Attention of a chunk of tokens to all keys of a text, in float32. Queries, keys and values are read where they
 * lie, token after token, and products are batches over heads, which oneDNN divides among its threads.
 */
export class ChunkAttention {
  readonly #onednn: Onednn;
  readonly #sizes: ChunkSizes;
  #scores = new Numbers('float32', 0);
  /** A run's layers have as many keys, the next run has more. */
  #made: ForKeys | undefined;

  constructor(onednn: Onednn, sizes: ChunkSizes) {
    this.#onednn = onednn;
    this.#sizes = sizes;
  }

  /** Writes `softmax(q kᵀ + bias) v` of every head. */
  attend({ query, key, value, bias }: ChunkInputs, keys: number, result: Pointer): void {
    const { numHeads, numKeyValueHeads, headDim } = this.#sizes;
    const { groups, score, addBias, softmax, weigh } = this.#forKeys(keys);
    const scores = this.#scores.address;
    for (let group = 0; group < numKeyValueHeads; group += groups) {
      const ofKeys = bytes(group * headDim);
      const ofQueries = bytes((group * numHeads * headDim) / numKeyValueHeads);
      score.run([query + ofQueries, key + ofKeys, scores]);
      addBias.run([scores, bias, scores]);
      softmax.run([scores, scores]);
      weigh.run([scores, value + ofKeys, result + ofQueries]);
    }
  }

  release(): void {
    const made = this.#made;
    this.#made = undefined;
    if (made !== undefined) releaseAll([made.score, made.addBias, made.softmax, made.weigh]);
  }

  #forKeys(keys: number): ForKeys {
    if (this.#made?.keys === keys) return this.#made;
    this.release();
    this.#made = this.#make(keys);
    return this.#made;
  }

  #make(keys: number): ForKeys {
    const { tokens, numHeads, numKeyValueHeads, headDim } = this.#sizes;
    const heads = numHeads / numKeyValueHeads;
    const most = Math.max(1, Math.floor(SCORES / (heads * tokens * keys)));
    const groups = largestDivisor(numKeyValueHeads, most);
    const rows = groups * heads * tokens;
    if (this.#scores.count < rows * keys) this.#scores = new Numbers('float32', rows * keys);
    const dtype = 'float32';
    const ofQueries: Layout = {
      dtype,
      sizes: [groups, heads, tokens, headDim],
      strides: [heads * headDim, headDim, numHeads * headDim, 1],
    };
    const width = numKeyValueHeads * headDim;
    const keysTransposed: Layout = {
      dtype,
      sizes: [groups, 1, headDim, keys],
      strides: [headDim, headDim, 1, width],
    };
    const values: Layout = {
      dtype,
      sizes: [groups, 1, keys, headDim],
      strides: [headDim, headDim, width, 1],
    };
    const scores: Layout = { dtype, sizes: [groups, heads, tokens, keys] };
    const bias: Layout = { dtype, sizes: [1, 1, tokens, keys] };
    const table = matrix(dtype, rows, keys);
    const onednn = this.#onednn;
    return {
      ...{ keys, groups },
      score: onednn.multiply(ofQueries, keysTransposed, scores),
      addBias: onednn.combine('add', scores, bias, scores),
      softmax: onednn.softmax(table, table),
      weigh: onednn.multiply(scores, values, ofQueries),
    };
  }
}

function bytes(float32s: number): bigint {
  return BigInt(float32s * FLOAT32_BYTES);
}
