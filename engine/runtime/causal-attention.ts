import {
  type AttentionBlock,
  type AttentionSizes,
  attentionBlocks,
  blockScores,
  FUSED_BLOCK,
} from '../graph/ops/attention.ts';
import { AttentionPrimitives } from './attention-primitives.ts';
import type { Pointer } from './c-api.ts';
import type { Onednn } from './onednn.ts';
import { float32sAt, Numbers } from './own-memory.ts';
import type { SharedPool } from './shared-pool.ts';

/** Where the inputs of attention lie; see `attentionOps` of `engine/graph/ops/attention.ts`. */
export interface AttentionInputs {
  readonly query: Pointer;
  readonly key: Pointer;
  readonly value: Pointer;
  readonly beginnings?: Pointer | undefined;
}

/** The score of a key that must not be seen; exp of it is 0 in float32. */
const MASKED = -1e9;

const FLOAT32_BYTES = 4;

/**
 * Causal attention and its gradients, block by block of queries, over memory that is made once: a
 * block's scores are small enough to stay in a processor's cache, and all that a training step keeps
 * are queries, keys and values. Heads that share a key are rows of one matrix.
 */
export class CausalAttention {
  readonly #sizes: AttentionSizes;
  readonly #blocks: readonly AttentionBlock[];
  readonly #primitives: AttentionPrimitives;
  /** One block's queries and gradients, a row's keys and values, as factors of products. */
  readonly #query: Numbers;
  readonly #gradient: Numbers;
  readonly #key: Numbers;
  readonly #value: Numbers;
  /** `[heads, queries, keys]` of one block: scores and then probabilities, and gradients of them. */
  readonly #scores: Numbers;
  readonly #scoreGradients: Numbers;
  /** Both as factors of products. */
  readonly #factors: Numbers;
  readonly #gradientFactors: Numbers;
  /** A block's result, `[heads, queries, width]`. */
  readonly #result: Numbers;
  /** Sums over the blocks of a row, `[groups, keys, width]`. */
  readonly #keyGradient: Numbers;
  readonly #valueGradient: Numbers;

  constructor(onednn: Onednn, pool: SharedPool, sizes: AttentionSizes) {
    const { length, window, numHeads, numKeyValueHeads: groups, headDim, products } = sizes;
    this.#sizes = sizes;
    this.#blocks = attentionBlocks(length, window, FUSED_BLOCK);
    this.#primitives = new AttentionPrimitives(onednn, pool, sizes);
    const queries = numHeads * Math.min(length, FUSED_BLOCK);
    const keys = groups * length * headDim;
    const scores = blockScores(sizes);
    const float32 = (count: number): Numbers => new Numbers('float32', count);
    // What is no bfloat16 is a factor as it is.
    const factor = (of: Numbers): Numbers =>
      products === 'float32' ? of : new Numbers(products, of.count);
    this.#query = new Numbers(products, queries * headDim);
    this.#gradient = new Numbers(products, queries * headDim);
    this.#key = new Numbers(products, keys);
    this.#value = new Numbers(products, keys);
    this.#scores = float32(scores);
    this.#scoreGradients = float32(scores);
    this.#factors = factor(this.#scores);
    this.#gradientFactors = factor(this.#scoreGradients);
    this.#result = float32(queries * headDim);
    this.#keyGradient = float32(keys);
    this.#valueGradient = float32(keys);
  }

  /** Writes `softmax(q kᵀ) v` over all rows. */
  attend({ query, key, value, beginnings }: AttentionInputs, result: Pointer): void {
    const first = this.#firstKeys(beginnings);
    const primitives = this.#primitives;
    for (let row = 0; row < this.#sizes.rows; row++) {
      this.#takeRow(row, key, value);
      for (const block of this.#blocks) {
        const place = this.#queriesAt(row, block);
        primitives.splitHeads(block).run([query + place, this.#query.address]);
        this.#score(block, first?.[row]);
        primitives.softmax(block).run([this.#scores.address, this.#factors.address]);
        this.#eachGroup((group) => {
          primitives
            .weigh(block)
            .run([
              this.#scoresOf(this.#factors, group, block),
              this.#keysOf(this.#value, group, block),
              this.#queriesOf(this.#result, group, block),
            ]);
        });
        primitives.joinHeads(block).run([this.#result.address, result + place]);
      }
    }
  }

  /** Writes the gradients of all queries, then of all keys, then of all values. */
  gradients(
    { query, key, value, beginnings }: AttentionInputs,
    gradient: Pointer,
    result: Pointer,
  ): void {
    const { rows, length, numHeads, numKeyValueHeads: groups, headDim } = this.#sizes;
    const first = this.#firstKeys(beginnings);
    const primitives = this.#primitives;
    const keys = result + bytes(rows * length * numHeads * headDim);
    const values = keys + bytes(rows * length * groups * headDim);
    for (let row = 0; row < rows; row++) {
      this.#takeRow(row, key, value);
      this.#keyGradient.clear();
      this.#valueGradient.clear();
      for (const block of this.#blocks) {
        const place = this.#queriesAt(row, block);
        primitives.splitHeads(block).run([query + place, this.#query.address]);
        primitives.splitHeads(block).run([gradient + place, this.#gradient.address]);
        this.#score(block, first?.[row]);
        this.#blockGradients(block);
        primitives.joinHeads(block).run([this.#result.address, result + place]);
      }
      const place = this.#keysAt(row);
      primitives.joinGroups.run([this.#keyGradient.address, keys + place]);
      primitives.joinGroups.run([this.#valueGradient.address, values + place]);
    }
  }

  release(): void {
    this.#primitives.release();
  }

  /** From a block's scores: the gradient of its queries, and its part in those of keys and values. */
  #blockGradients(block: AttentionBlock): void {
    const primitives = this.#primitives;
    primitives.softmaxInPlace(block).run([this.#scores.address, this.#scores.address]);
    if (this.#factors !== this.#scores) {
      primitives.round(block).run([this.#scores.address, this.#factors.address]);
    }
    this.#eachGroup((group) => {
      const gradient = this.#queriesOf(this.#gradient, group, block);
      primitives
        .collect(block)
        .run([
          this.#scoresOf(this.#factors, group, block),
          gradient,
          this.#keysOf(this.#valueGradient, group, block),
        ]);
      primitives
        .score(block)
        .run([
          gradient,
          this.#keysOf(this.#value, group, block),
          this.#scoresOf(this.#scoreGradients, group, block),
        ]);
    });
    primitives
      .softmaxGradient(block)
      .run([this.#scores.address, this.#scoreGradients.address, this.#gradientFactors.address]);
    this.#eachGroup((group) => {
      const scores = this.#scoresOf(this.#gradientFactors, group, block);
      primitives
        .weigh(block)
        .run([
          scores,
          this.#keysOf(this.#key, group, block),
          this.#queriesOf(this.#result, group, block),
        ]);
      primitives
        .collect(block)
        .run([
          scores,
          this.#queriesOf(this.#query, group, block),
          this.#keysOf(this.#keyGradient, group, block),
        ]);
    });
  }

  /** The scores of the block's queries; `first` has the first key that each query of the row may see. */
  #score(block: AttentionBlock, first: Float32Array | undefined): void {
    this.#eachGroup((group) => {
      this.#primitives
        .score(block)
        .run([
          this.#queriesOf(this.#query, group, block),
          this.#keysOf(this.#key, group, block),
          this.#scoresOf(this.#scores, group, block),
        ]);
    });
    const { start, end, firstKey } = block;
    const { numHeads, window } = this.#sizes;
    const [queries, keys] = [end - start, end - firstKey];
    for (let query = 0; query < queries; query++) {
      const place = start + query;
      const fromWindow = window === null ? 0 : place - window + 1;
      const from = Math.max(fromWindow, first?.[place] ?? 0, firstKey) - firstKey;
      for (let head = 0; head < numHeads; head++) {
        const row = (head * queries + query) * keys;
        this.#scores.set(MASKED, row, row + from);
        this.#scores.set(MASKED, row + place + 1 - firstKey, row + keys);
      }
    }
  }

  #takeRow(row: number, key: Pointer, value: Pointer): void {
    const place = this.#keysAt(row);
    this.#primitives.splitGroups.run([key + place, this.#key.address]);
    this.#primitives.splitGroups.run([value + place, this.#value.address]);
  }

  #eachGroup(act: (group: number) => void): void {
    for (let group = 0; group < this.#sizes.numKeyValueHeads; group++) act(group);
  }

  /** Row by row, where each token's example begins. */
  #firstKeys(beginnings: Pointer | undefined): Float32Array[] | undefined {
    if (beginnings === undefined) return undefined;
    const { rows, length } = this.#sizes;
    const all = float32sAt(beginnings, rows * length);
    return Array.from({ length: rows }, (_, row) => all.subarray(row * length, (row + 1) * length));
  }

  /** Bytes from the beginning of the queries to those of a block. */
  #queriesAt(row: number, { start }: AttentionBlock): bigint {
    const { length, numHeads, headDim } = this.#sizes;
    return bytes((row * length + start) * numHeads * headDim);
  }

  /** Bytes from the beginning of the keys to those of a row. */
  #keysAt(row: number): bigint {
    const { length, numKeyValueHeads, headDim } = this.#sizes;
    return bytes(row * length * numKeyValueHeads * headDim);
  }

  #queriesOf(numbers: Numbers, group: number, { start, end }: AttentionBlock): Pointer {
    return numbers.at(group * this.#headsPerGroup * (end - start) * this.#sizes.headDim);
  }

  #keysOf(numbers: Numbers, group: number, { firstKey }: AttentionBlock): Pointer {
    return numbers.at((group * this.#sizes.length + firstKey) * this.#sizes.headDim);
  }

  #scoresOf(numbers: Numbers, group: number, { start, end, firstKey }: AttentionBlock): Pointer {
    return numbers.at(group * this.#headsPerGroup * (end - start) * (end - firstKey));
  }

  get #headsPerGroup(): number {
    return this.#sizes.numHeads / this.#sizes.numKeyValueHeads;
  }
}

function bytes(float32s: number): bigint {
  return BigInt(float32s * FLOAT32_BYTES);
}
