import {
  type AttentionBlock,
  type AttentionSizes,
  blockScores,
  FUSED_BLOCK,
  MASKED,
} from '../graph/ops/attention.ts';
import type { AttentionJob, PartialSums } from './attention-job.ts';
import { AttentionPrimitives } from './attention-primitives.ts';
import type { AttentionShare, RowPart } from './attention-shares.ts';
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

const FLOAT32_BYTES = 4;

/** Gradients of a row's keys and values, `[groups, keys, width]` each: sums over blocks. */
interface Sums {
  readonly key: Numbers;
  readonly value: Numbers;
}

/**
 * Causal attention and its gradients, block by block of queries, over memory that is made once: a
 * block's scores are small enough to stay in a processor's cache, and all that a training step keeps
 * are queries, keys and values. Heads that share a key are rows of one matrix. For one thread alone.
 */
export class CausalAttention {
  readonly #sizes: AttentionSizes;
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
  /** Those of a whole row, and those of parts of rows by their numbers. */
  readonly #sums = new Map<number | undefined, Sums>();

  constructor(onednn: Onednn, pool: SharedPool, sizes: AttentionSizes) {
    const { length, numHeads, numKeyValueHeads: groups, headDim, products } = sizes;
    this.#sizes = sizes;
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
  }

  /**
   * Computes a share.
   *
   * @returns where the sums over parts of rows are that {@link addUp} wants, in the order of the parts; they
   * stay until the next call
   */
  compute({ kind, inputs, gradient, result }: AttentionJob, share: AttentionShare): PartialSums[] {
    if (kind === 'gradients') return this.#gradients(inputs, gradient, result, share);
    this.#attend(inputs, result, share);
    return [];
  }

  /** Writes `softmax(q kᵀ) v` of the queries of a share. */
  #attend(
    { query, key, value, beginnings }: AttentionInputs,
    result: Pointer,
    share: AttentionShare,
  ): void {
    const first = this.#firstKeys(beginnings);
    const primitives = this.#primitives;
    for (const { row, blocks } of share) {
      this.#takeRow(row, key, value);
      for (const block of blocks) {
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

  /** Writes the gradients of the queries of a share, and those of keys and values of whole rows. */
  #gradients(
    { query, key, value, beginnings }: AttentionInputs,
    gradient: Pointer,
    result: Pointer,
    share: AttentionShare,
  ): PartialSums[] {
    const first = this.#firstKeys(beginnings);
    const primitives = this.#primitives;
    const partial: PartialSums[] = [];
    for (const { row, blocks, partialSum } of share) {
      const sums = this.#clearedSums(partialSum);
      this.#takeRow(row, key, value);
      for (const block of blocks) {
        const place = this.#queriesAt(row, block);
        primitives.splitHeads(block).run([query + place, this.#query.address]);
        primitives.splitHeads(block).run([gradient + place, this.#gradient.address]);
        this.#score(block, first?.[row]);
        this.#blockGradients(block, sums);
        primitives.joinHeads(block).run([this.#result.address, result + place]);
      }
      const addresses = { key: sums.key.address, value: sums.value.address };
      if (partialSum === undefined) this.addUp(row, [addresses], result);
      else partial.push(addresses);
    }
    return partial;
  }

  /** Writes the gradients of a row's keys and values into the result, and the total over the first of the sums. */
  addUp(row: number, [total, ...others]: readonly PartialSums[], result: Pointer): void {
    const { rows, length, numHeads, numKeyValueHeads: groups, headDim } = this.#sizes;
    const keys = result + bytes(rows * length * numHeads * headDim);
    const values = keys + bytes(rows * length * groups * headDim);
    const place = this.#keysAt(row);
    const { add, joinGroups } = this.#primitives;
    for (const { key, value } of others) {
      add.run([total!.key, key, total!.key]);
      add.run([total!.value, value, total!.value]);
    }
    joinGroups.run([total!.key, keys + place]);
    joinGroups.run([total!.value, values + place]);
  }

  release(): void {
    this.#primitives.release();
  }

  /** From a block's scores: the gradient of its queries, and its part in those of keys and values. */
  #blockGradients(block: AttentionBlock, sums: Sums): void {
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
          this.#keysOf(sums.value, group, block),
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
          this.#keysOf(sums.key, group, block),
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

  #clearedSums(partialSum: RowPart['partialSum']): Sums {
    const known = this.#sums.get(partialSum);
    known?.key.clear();
    known?.value.clear();
    if (known !== undefined) return known;
    const { length, numKeyValueHeads: groups, headDim } = this.#sizes;
    const zeros = (): Numbers => new Numbers('float32', groups * length * headDim);
    const sums = { key: zeros(), value: zeros() };
    this.#sums.set(partialSum, sums);
    return sums;
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
