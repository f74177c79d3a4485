import type { DecoderConfig, LayerPart } from '../architectures/decoder-config.ts';
import type { Results } from '../runtime/feeds.ts';
import type { Tensor } from '../runtime/tensor.ts';
import { GENERATION_TENSORS as names } from './generation-graph.ts';
import type { TextCache } from './text-cache.ts';

/** Position of an empty slot: later than any token's, and exact in float32. */
export const EMPTY = 2n ** 30n;

/** Slots to begin with, and tokens that a run reads at most; they double whenever they are full. */
export const INITIAL_SLOTS = 128;

/** Sizes of a model that decide how large its cache is. */
type CacheConfig = Pick<DecoderConfig, 'layers' | 'maxPositionEmbeddings'>;

/** Slots of a cache that a text of `tokens` tokens has filled; its chunks are no longer than the first slots. */
export function cacheSlots(config: CacheConfig, tokens: number): number {
  const most = maxSlots(config);
  let slots = Math.min(INITIAL_SLOTS, most);
  while (slots < tokens && slots < most) slots = Math.min(2 * slots, most);
  return slots;
}

/** Bytes of the keys and values of all layers in a cache of so many slots. */
export function cacheBytes(config: CacheConfig, slots: number): number {
  return 2 * 4 * slots * config.layers.reduce((width, layer) => width + keyWidth(layer), 0);
}

/** As many as the layer needs that looks back farthest. */
export function maxSlots({ maxPositionEmbeddings, layers }: CacheConfig): number {
  const windows = layers.map(({ attention }) => attention.slidingWindow ?? maxPositionEmbeddings);
  return Math.min(maxPositionEmbeddings, Math.max(...windows));
}

function keyWidth({ attention }: LayerPart): number {
  return attention.numKeyValueHeads * attention.headDim;
}

/**
 * Keys and values of a text's tokens so far, for every layer. A run reads the arrays in place and
 * returns the new tokens' rows alone, so that no token costs a copy of the cache.
 *
 * With a sliding window in every layer the slots are a ring: they end at the widest window, and a new token takes
 * the slot of one that no later token can see.
 */
export class KeyValueCache implements TextCache {
  readonly #config: DecoderConfig;
  readonly #maxSlots: number;
  #length = 0;
  /** `[slots]` */
  #positions: BigInt64Array;
  /** `[numKeyValueHeads, headDim, slots]` of each layer */
  #keys: Float32Array[];
  /** `[numKeyValueHeads, slots, headDim]` of each layer */
  #values: Float32Array[];

  constructor(config: DecoderConfig) {
    this.#config = config;
    this.#maxSlots = maxSlots(config);
    const slots = Math.min(INITIAL_SLOTS, this.#maxSlots);
    const allocate = (layer: LayerPart) => new Float32Array(keyWidth(layer) * slots);
    this.#positions = new BigInt64Array(slots).fill(EMPTY);
    this.#keys = config.layers.map(allocate);
    this.#values = config.layers.map(allocate);
  }

  /** Number of tokens so far, which is also the position of the next one. */
  get length(): number {
    return this.#length;
  }

  /** New tokens are beside the cache while a run reads them. */
  get tokensAtOnce(): number {
    return Number.POSITIVE_INFINITY;
  }

  feeds(): Record<string, Tensor> {
    const slots = this.#positions.length;
    const feeds: Record<string, Tensor> = {
      [names.pastPositions]: { data: this.#positions, shape: [slots] },
    };
    for (const [layer, { attention }] of this.#config.layers.entries()) {
      const { numKeyValueHeads: heads, headDim } = attention;
      const keys = this.#keys[layer]!;
      const values = this.#values[layer]!;
      feeds[names.pastKey(layer)] = { data: keys, shape: [heads, headDim, slots] };
      feeds[names.pastValue(layer)] = { data: values, shape: [heads, slots, headDim] };
    }
    return feeds;
  }

  results(): Results {
    return {};
  }

  /** Takes over the next `count` tokens, which are the first in the outputs of the generation graph. */
  append(count: number, outputs: Readonly<Record<string, Tensor>>): void {
    this.#reserve(this.#length + count);
    const slots = this.#positions.length;
    for (let token = 0; token < count; token++) {
      const position = this.#length + token;
      this.#positions[position % slots] = BigInt(position);
    }
    for (const [layer, { attention }] of this.#config.layers.entries()) {
      const { headDim } = attention;
      this.#scatter(count, outputs[names.newKey(layer)]!, this.#keys[layer]!, slots, 1);
      this.#scatter(count, outputs[names.newValue(layer)]!, this.#values[layer]!, 1, headDim);
    }
    this.#length += count;
  }

  /** Arrays go when nobody has them any more. */
  release(): void {}

  /**
   * Writes the first rows of new tokens, `[tokens, numKeyValueHeads, headDim]`, into their slots of a
   * cached tensor whose neighbouring features and slots are so many elements apart.
   */
  #scatter(
    count: number,
    { data, shape }: Tensor,
    target: Float32Array,
    perFeature: number,
    perSlot: number,
  ): void {
    const source = data as Float32Array;
    const [, heads, headDim] = shape as readonly [number, number, number];
    const slots = this.#positions.length;
    for (let token = 0; token < count; token++) {
      const slot = (this.#length + token) % slots;
      for (let head = 0; head < heads; head++) {
        const from = (token * heads + head) * headDim;
        const to = head * headDim * slots + slot * perSlot;
        for (let i = 0; i < headDim; i++) target[to + i * perFeature] = source[from + i]!;
      }
    }
  }

  /** Makes room for `length` tokens. Growing ends before the ring closes, so slots keep their order. */
  #reserve(length: number): void {
    const slots = this.#positions.length;
    if (length <= slots || slots === this.#maxSlots) return;
    const wanted = Math.min(Math.max(length, 2 * slots), this.#maxSlots);
    const positions = new BigInt64Array(wanted).fill(EMPTY);
    positions.set(this.#positions);
    this.#positions = positions;
    const { layers } = this.#config;
    this.#keys = this.#keys.map((keys, i) => widenRows(keys, keyWidth(layers[i]!), wanted));
    this.#values = this.#values.map((values, i) => {
      const { numKeyValueHeads, headDim } = layers[i]!.attention;
      return widenRows(values, numKeyValueHeads, wanted * headDim);
    });
  }
}

/** Rows of a matrix followed by zeros up to a new width. */
function widenRows(data: Float32Array, rows: number, width: number): Float32Array {
  const oldWidth = data.length / rows;
  const wider = new Float32Array(rows * width);
  for (let row = 0; row < rows; row++) {
    wider.set(data.subarray(row * oldWidth, (row + 1) * oldWidth), row * width);
  }
  return wider;
}
