import { forEachWindow, visibilityBias } from '../architectures/causal-attention.ts';
import type { AttentionPart, DecoderConfig } from '../architectures/decoder-config.ts';
import type { Attention } from '../architectures/decoder-graph.ts';
import { groupedAttention } from '../architectures/grouped-attention.ts';
import type { GraphBuilder } from '../graph/builder.ts';
import type { Shape } from '../graph/dim.ts';
import type { Value } from '../graph/value.ts';

/** Keys and values of one layer, each `[slots, numKeyValueHeads, headDim]`. */
export interface KeyValueSlots {
  readonly key: Value;
  readonly value: Value;
}

/** Attention of new tokens over a cache that has slots for them. */
export interface CachedAttentionOptions {
  readonly builder: GraphBuilder;
  readonly config: DecoderConfig;
  /** The op that the device computes attention by; else it is computed in its parts. */
  readonly attentionOp: 'groupedAttention' | 'chunkAttention' | undefined;
  /** int64 `[tokens]` */
  readonly positions: Value;
  /** int64 `[slots]`: the position of the token in each slot, with the new tokens in theirs */
  readonly slotPositions: Value;
  /** int64 `[tokens]`: which slots the new tokens take */
  readonly slots: Value;
  past(layer: number): KeyValueSlots;
  /** Told what the cache of a layer is after the run, which may be written over what it was. */
  onWritten(layer: number, written: KeyValueSlots): void;
}

/**
 * Causal self-attention over a cache that the graph itself writes to: new keys and values go into their slots, and
 * all slots are attended to. Visibility follows from positions alone, so the slots may be in any order and some
 * of them empty.
 */
export function cachedAttention(options: CachedAttentionOptions): Attention {
  const { builder, config, attentionOp, positions, slotPositions, slots, past, onWritten } =
    options;
  const asFloat = (values: Value, shape: Shape): Value =>
    builder.reshape(builder.cast(values, 'float32'), shape);
  const queryColumn = asFloat(positions, [positions.shape[0]!, 1]);
  const keyRow = asFloat(slotPositions, [1, slotPositions.shape[0]!]);
  const biasOf = forEachWindow(config, (window) =>
    visibilityBias(builder, queryColumn, keyRow, window),
  );
  return ({ layer, part, query, key, value }) => {
    const cached = past(layer);
    const written = {
      key: builder.setRows(cached.key, slots, key),
      value: builder.setRows(cached.value, slots, value),
    };
    onWritten(layer, written);
    const parts = { query, ...written, bias: biasOf(part) };
    // Neither op has a cap below the bias.
    return attentionOp === undefined || part.softCap !== null
      ? attendInParts(builder, part, parts)
      : attendWhole(builder, part, parts, attentionOp);
  };
}

/** What the new tokens of a layer attend to. */
interface QueryAndSlots extends KeyValueSlots {
  /** `[tokens, numHeads, headDim]` */
  readonly query: Value;
  /** `[tokens, slots]` */
  readonly bias: Value;
}

/** @returns `[tokens, numHeads · headDim]` */
function attendWhole(
  builder: GraphBuilder,
  { numHeads, numKeyValueHeads }: AttentionPart,
  { query, key, value, bias }: QueryAndSlots,
  op: 'groupedAttention' | 'chunkAttention',
): Value {
  const flat = (heads: Value): Value => {
    const [tokens, count, headDim] = heads.shape;
    return builder.reshape(heads, [tokens!, Number(count) * Number(headDim)]);
  };
  return builder.apply(op, [flat(query), flat(key), flat(value), bias], {
    numHeads,
    numKeyValueHeads,
  });
}

/** @returns like {@link attendWhole} */
function attendInParts(
  builder: GraphBuilder,
  part: AttentionPart,
  { query, key, value, bias }: QueryAndSlots,
): Value {
  const { numHeads, numKeyValueHeads: groups, headDim } = part;
  const [tokens, slots] = [query.shape[0]!, key.shape[0]!];
  const split = builder.reshape(query, [tokens, groups, numHeads / groups, headDim]);
  const attended = groupedAttention(builder, part, {
    query: builder.transpose(split, [1, 2, 0, 3]),
    keyTransposed: builder.reshape(builder.transpose(key, [1, 2, 0]), [groups, 1, headDim, slots]),
    value: builder.reshape(builder.transpose(value, [1, 0, 2]), [groups, 1, slots, headDim]),
    bias,
  });
  return builder.reshape(builder.transpose(attended, [2, 0, 1, 3]), [tokens, numHeads * headDim]);
}
