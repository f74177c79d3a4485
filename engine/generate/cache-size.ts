import type { DecoderConfig, LayerPart } from '../architectures/decoder-config.ts';
import { LARGEST_CHUNK } from './generation-runs.ts';

/** Slots to begin with; they double whenever they are full. */
export const INITIAL_SLOTS = 128;

/** Sizes of a model that decide how large its cache is. */
type CacheConfig = Pick<DecoderConfig, 'layers' | 'maxPositionEmbeddings'>;

/** Slots of a cache that a text of `tokens` tokens has filled, which is read in chunks (`inChunks`). */
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

/** As many as the layer needs that looks back farthest, beside the tokens of the largest run. */
export function maxSlots({ maxPositionEmbeddings, layers }: CacheConfig): number {
  const windows = layers.map(({ attention }) => attention.slidingWindow ?? maxPositionEmbeddings);
  return Math.min(maxPositionEmbeddings, Math.max(...windows) + LARGEST_CHUNK);
}

function keyWidth({ attention }: LayerPart): number {
  return attention.numKeyValueHeads * attention.headDim;
}
