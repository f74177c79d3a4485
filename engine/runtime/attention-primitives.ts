import type { AttentionBlock, AttentionSizes } from '../graph/ops/attention.ts';
import { type Layout, matrix, type Onednn, type Primitive } from './onednn.ts';
import { keyOf, type SharedPool } from './shared-pool.ts';

/** What blocks of one size are computed by, made when it is first asked for. */
export class AttentionPrimitives {
  readonly #onednn: Onednn;
  readonly #pool: SharedPool;
  readonly #sizes: AttentionSizes;
  readonly #taken = new Map<string, { readonly shared: Primitive; release(): void }>();

  constructor(onednn: Onednn, pool: SharedPool, sizes: AttentionSizes) {
    this.#onednn = onednn;
    this.#pool = pool;
    this.#sizes = sizes;
  }

  /** A block of queries, as tokens have them, to factors `[heads, queries, width]`. */
  splitHeads(block: AttentionBlock): Primitive {
    const { numHeads, products } = this.#sizes;
    const queries = block.end - block.start;
    return this.#convert(
      this.#byToken(numHeads, queries),
      this.#byHead(products, numHeads, queries),
    );
  }

  /** A block's result `[heads, queries, width]`, to as tokens have it. */
  joinHeads({ start, end }: AttentionBlock): Primitive {
    const { numHeads } = this.#sizes;
    return this.#convert(
      this.#byHead('float32', numHeads, end - start),
      this.#byToken(numHeads, end - start),
    );
  }

  /** Keys of a row to factors `[groups, keys, width]`. */
  get splitGroups(): Primitive {
    const { numKeyValueHeads: groups, length, products } = this.#sizes;
    return this.#convert(this.#byToken(groups, length), this.#byHead(products, groups, length));
  }

  /** Gradients `[groups, keys, width]`, to as tokens have keys. */
  get joinGroups(): Primitive {
    const { numKeyValueHeads: groups, length } = this.#sizes;
    return this.#convert(this.#byHead('float32', groups, length), this.#byToken(groups, length));
  }

  /** The sum of two of gradients `[groups, keys, width]`. */
  get add(): Primitive {
    const { numKeyValueHeads: groups, length, headDim } = this.#sizes;
    const gradients = matrix('float32', groups * length, headDim);
    return this.#take(keyOf('add', gradients), () =>
      this.#onednn.combine('add', gradients, gradients, gradients),
    );
  }

  /** `[queries, width] · [keys, width]ᵀ → [queries, keys]`, for the heads that share a key. */
  score(block: AttentionBlock): Primitive {
    const { queries, keys, width, products } = this.#block(block);
    return this.#multiply(
      matrix(products, queries, width),
      matrix(products, width, keys, true),
      matrix('float32', queries, keys),
    );
  }

  /** `[queries, keys] · [keys, width] → [queries, width]` */
  weigh(block: AttentionBlock): Primitive {
    const { queries, keys, width, products } = this.#block(block);
    return this.#multiply(
      matrix(products, queries, keys),
      matrix(products, keys, width),
      matrix('float32', queries, width),
    );
  }

  /** `[queries, keys]ᵀ · [queries, width] → [keys, width]`, added to what is there. */
  collect(block: AttentionBlock): Primitive {
    const { queries, keys, width, products } = this.#block(block);
    return this.#multiply(
      matrix(products, keys, queries, true),
      matrix(products, queries, width),
      matrix('float32', keys, width),
      true,
    );
  }

  /** Scores of all heads to the factors that probabilities are. */
  softmax(block: AttentionBlock): Primitive {
    const [scores, factors] = [this.#scores(block), this.#scores(block, this.#sizes.products)];
    return this.#take(keyOf('softmax', scores, factors), () =>
      this.#onednn.softmax(scores, factors),
    );
  }

  softmaxInPlace(block: AttentionBlock): Primitive {
    const scores = this.#scores(block);
    return this.#take(keyOf('softmax', scores, scores), () => this.#onednn.softmax(scores, scores));
  }

  /** Probabilities and their gradients to the factors that gradients of scores are. */
  softmaxGradient(block: AttentionBlock): Primitive {
    const [scores, factors] = [this.#scores(block), this.#scores(block, this.#sizes.products)];
    return this.#take(keyOf('softmax gradient', scores, factors), () =>
      this.#onednn.softmaxGradient(scores, scores, factors),
    );
  }

  /** Numbers of all scores as factors. */
  round(block: AttentionBlock): Primitive {
    return this.#convert(this.#scores(block), this.#scores(block, this.#sizes.products));
  }

  release(): void {
    for (const each of this.#taken.values()) each.release();
    this.#taken.clear();
  }

  /** Sizes of what the heads that share a key compute in a block. */
  #block({ start, end, firstKey }: AttentionBlock) {
    const { numHeads, numKeyValueHeads, headDim, products } = this.#sizes;
    const queries = (numHeads / numKeyValueHeads) * (end - start);
    return { queries, keys: end - firstKey, width: headDim, products };
  }

  #scores({ start, end, firstKey }: AttentionBlock, dtype: Layout['dtype'] = 'float32'): Layout {
    return matrix(dtype, this.#sizes.numHeads * (end - start), end - firstKey);
  }

  /** `[heads, tokens, width]` where the heads of a token lie side by side. */
  #byToken(heads: number, tokens: number): Layout {
    const { headDim } = this.#sizes;
    return {
      dtype: 'float32',
      sizes: [heads, tokens, headDim],
      strides: [headDim, heads * headDim, 1],
    };
  }

  #byHead(dtype: Layout['dtype'], heads: number, tokens: number): Layout {
    return { dtype, sizes: [heads, tokens, this.#sizes.headDim] };
  }

  #convert(from: Layout, to: Layout): Primitive {
    return this.#take(keyOf('convert', from, to), () => this.#onednn.convert(from, to));
  }

  #multiply(a: Layout, b: Layout, result: Layout, isAdded = false): Primitive {
    return this.#take(keyOf('multiply', a, b, isAdded), () =>
      this.#onednn.multiply(a, b, result, isAdded),
    );
  }

  #take(key: string, make: () => Primitive): Primitive {
    const taken = this.#taken.get(key) ?? this.#pool.take(key, make);
    this.#taken.set(key, taken);
    return taken.shared;
  }
}
