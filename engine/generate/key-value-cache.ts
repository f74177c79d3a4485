import type { DecoderConfig, LayerPart } from '../architectures/decoder-config.ts';
import { type Device, hasOwnMemory } from '../runtime/device.ts';
import type { Feeds, Results } from '../runtime/feeds.ts';
import { newStateTensor } from '../runtime/new-state-tensor.ts';
import type { StateTensor } from '../runtime/state-tensor.ts';
import { INITIAL_SLOTS, maxSlots } from './cache-size.ts';
import { GENERATION_TENSORS as names } from './generation-graph.ts';
import { LARGEST_CHUNK } from './generation-runs.ts';

/** Position of an empty slot: later than any token's, and exact in float32. */
const EMPTY = 2n ** 30n;

/** Keys and values of one layer, each `[slots, numKeyValueHeads, headDim]`; absent before the cache grows first. */
interface LayerCache {
  key?: StateTensor;
  value?: StateTensor;
}

/**
 * Keys and values of a text's tokens so far, for every layer. They stay where they are computed with: a run writes
 * those of the new tokens into their slots (`cachedAttention`), and only token ids, slots and positions are handed
 * over.
 *
 * With a sliding window in every layer the slots are a ring. A run writes before it reads, so that the ring has room
 * for the tokens of one run beside what the first of them sees.
 */
export class KeyValueCache {
  readonly #config: DecoderConfig;
  readonly #device: Device;
  readonly #maxSlots: number;
  #length = 0;
  /** Of the tokens in all slots. */
  #positions = new BigInt64Array();
  #layers: LayerCache[] = [];
  /** Slots that the run reads which was fed last. */
  #used = 0;

  constructor(config: DecoderConfig, device: Device) {
    this.#config = config;
    this.#device = device;
    this.#maxSlots = maxSlots(config);
  }

  /** Number of tokens so far, which is also the position of the next one. */
  get length(): number {
    return this.#length;
  }

  /** Tokens that a run may read: those that a ring has room for beside what the first of them sees. */
  get mostTokens(): number {
    const { maxPositionEmbeddings } = this.#config;
    return this.#maxSlots < maxPositionEmbeddings ? LARGEST_CHUNK : maxPositionEmbeddings;
  }

  /**
   * The inputs of the generation graph that hold the past, for a run that reads the next `count` tokens.
   *
   * @throws LorafaError `device.out_of_memory` when there is no room for them; the cache is empty then, and its memory free
   */
  feeds(count: number): Feeds {
    this.#reserve(this.#length + count);
    const slots = new BigInt64Array(count);
    for (let token = 0; token < count; token++) {
      const position = this.#length + token;
      const slot = position % this.#positions.length;
      slots[token] = BigInt(slot);
      this.#positions[slot] = BigInt(position);
    }
    this.#used = this.#usedSlots(this.#length + count);
    return {
      ...this.#byLayer(names.pastKey, names.pastValue),
      [names.slots]: { data: slots, shape: [count] },
      [names.slotPositions]: { data: this.#positions.subarray(0, this.#used), shape: [this.#used] },
    };
  }

  /** Where the outputs go that belong to the cache. */
  results(): Results {
    return this.#byLayer(names.newKey, names.newValue);
  }

  /** Takes over the first `count` tokens of the run that was fed. */
  append(count: number): void {
    this.#length += count;
  }

  /** Frees the memory; calling it again does nothing. */
  release(): void {
    for (const { key, value } of this.#layers) {
      key?.release();
      value?.release();
    }
    this.#layers = [];
    this.#positions = new BigInt64Array();
    this.#length = 0;
  }

  #byLayer(
    keyName: (layer: number) => string,
    valueName: (layer: number) => string,
  ): Record<string, StateTensor> {
    const tensors = this.#layers.flatMap(({ key, value }, layer) => [
      [keyName(layer), this.#inUse(key!)] as const,
      [valueName(layer), this.#inUse(value!)] as const,
    ]);
    return Object.fromEntries(tensors);
  }

  /** On the host only slots that are taken are read; on a device no size changes before the cache grows. */
  #usedSlots(length: number): number {
    const slots = this.#positions.length;
    return hasOwnMemory(this.#device) ? slots : Math.min(length, slots);
  }

  #inUse(tensor: StateTensor): StateTensor {
    const [slots, ...rest] = tensor.shape;
    return this.#used === slots ? tensor : tensor.part(0, [this.#used, ...rest]);
  }

  /** Makes room for `length` tokens. Growing ends before the ring closes, so slots keep their tokens. */
  #reserve(length: number): void {
    const slots = this.#positions.length;
    if (length <= slots || slots === this.#maxSlots) return;
    const wanted = Math.min(Math.max(length, 2 * slots, INITIAL_SLOTS), this.#maxSlots);
    const positions = new BigInt64Array(wanted).fill(EMPTY);
    positions.set(this.#positions);
    try {
      for (const [index, layer] of this.#config.layers.entries()) {
        const cache = this.#layers[index] ?? {};
        this.#layers[index] = cache;
        cache.key = this.#grown(layer, cache.key, wanted);
        cache.value = this.#grown(layer, cache.value, wanted);
      }
    } catch (error) {
      // Each tensor goes as soon as there is a longer one, so that two of all of them need no room: there is no way back.
      this.release();
      throw error;
    }
    this.#positions = positions;
  }

  #grown({ attention }: LayerPart, old: StateTensor | undefined, slots: number): StateTensor {
    const { numKeyValueHeads: heads, headDim } = attention;
    const tensor = newStateTensor(this.#device, [slots, heads, headDim]);
    if (old === undefined) return tensor;
    try {
      tensor.part(0, old.shape).copyFrom(old);
    } catch (error) {
      tensor.release();
      throw error;
    }
    old.release();
    return tensor;
  }
}
