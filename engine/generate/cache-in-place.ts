import type { DecoderConfig, LayerPart } from '../architectures/decoder-config.ts';
import type { Device } from '../runtime/device.ts';
import type { Feeds, Results } from '../runtime/feeds.ts';
import { newStateTensor } from '../runtime/new-state-tensor.ts';
import type { StateTensor } from '../runtime/state-tensor.ts';
import { GENERATION_TENSORS as names } from './generation-graph.ts';
import { EMPTY, INITIAL_SLOTS, maxSlots } from './key-value-cache.ts';
import type { TextCache } from './text-cache.ts';

/** Keys and values of one layer, each `[slots, numKeyValueHeads, headDim]`. */
interface LayerCache {
  key?: StateTensor;
  value?: StateTensor;
}

/**
 * A cache that stays where it is computed with: a run writes the keys and values of the new tokens into their
 * slots (`inPlaceAttention`), and only token ids, slots and positions are handed over.
 *
 * With a sliding window in every layer the slots are a ring. A run writes before it reads, so that the ring has room
 * for the tokens of one run beside what the first of them sees.
 */
export class CacheInPlace implements TextCache {
  readonly #config: DecoderConfig;
  readonly #device: Device;
  readonly #maxSlots: number;
  #length = 0;
  /** Of the tokens in all slots. */
  #positions = new BigInt64Array();
  #layers: LayerCache[] = [];

  constructor(config: DecoderConfig, device: Device) {
    this.#config = config;
    this.#device = device;
    this.#maxSlots = Math.min(maxSlots(config) + INITIAL_SLOTS, config.maxPositionEmbeddings);
  }

  get length(): number {
    return this.#length;
  }

  /** With more, the last of them would take the slots of what the first ones see. */
  get tokensAtOnce(): number {
    return INITIAL_SLOTS;
  }

  feeds(count: number): Feeds {
    this.#reserve(this.#length + count);
    const slots = new BigInt64Array(count);
    for (let token = 0; token < count; token++) {
      const position = this.#length + token;
      const slot = position % this.#positions.length;
      slots[token] = BigInt(slot);
      this.#positions[slot] = BigInt(position);
    }
    return {
      ...this.#byLayer(names.pastKey, names.pastValue),
      [names.slots]: { data: slots, shape: [count] },
      [names.pastPositions]: { data: this.#positions, shape: [this.#positions.length] },
    };
  }

  results(): Results {
    return this.#byLayer(names.newKey, names.newValue);
  }

  append(count: number): void {
    this.#length += count;
  }

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
      [keyName(layer), key!] as const,
      [valueName(layer), value!] as const,
    ]);
    return Object.fromEntries(tensors);
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
