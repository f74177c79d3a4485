import type { Attention } from '../architectures/decoder-graph.ts';
import type { Value } from '../graph/value.ts';
import { attentionToKeys, type CachedAttentionOptions } from './cached-attention.ts';

/** Keys and values of one layer, each `[slots, numKeyValueHeads, headDim]`. */
export interface KeyValueSlots {
  readonly key: Value;
  readonly value: Value;
}

/** Attention of new tokens over a cache that has slots for them. */
export interface InPlaceAttentionOptions
  extends Pick<CachedAttentionOptions, 'builder' | 'config' | 'positions'> {
  /** int64 `[slots]`: the position of the token in each slot, with the new tokens in theirs */
  readonly pastPositions: Value;
  /** int64 `[tokens]`: which slots the new tokens take */
  readonly slots: Value;
  past(layer: number): KeyValueSlots;
  /** Told what the cache of a layer is after the run, which may be written over what it was. */
  onWritten(layer: number, written: KeyValueSlots): void;
}

/**
 * Causal self-attention over a cache that the graph itself writes to: new keys and values go into their slots, and
 * all slots are attended to. On a device so little goes over the bus, and no shape changes before the cache grows.
 */
export function inPlaceAttention(options: InPlaceAttentionOptions): Attention {
  const { builder, pastPositions, slots, past, onWritten } = options;
  const attend = attentionToKeys(options, pastPositions);
  return ({ layer, part, query, key, value }) => {
    const cached = past(layer);
    const written = {
      key: builder.setRows(cached.key, slots, key),
      value: builder.setRows(cached.value, slots, value),
    };
    onWritten(layer, written);
    return attend(part, {
      query,
      keyTransposed: builder.transpose(written.key, [1, 2, 0]),
      value: builder.transpose(written.value, [1, 0, 2]),
    });
  };
}
