import { forEachWindow, visibilityBias } from '../architectures/causal-attention.ts';
import type { DecoderConfig } from '../architectures/decoder-config.ts';
import type { Attention } from '../architectures/decoder-graph.ts';
import { groupedAttention } from '../architectures/grouped-attention.ts';
import type { GraphBuilder } from '../graph/builder.ts';
import type { Value } from '../graph/value.ts';

/** Keys and values of one layer, float32 `[batch, numKeyValueHeads, slots, headDim]` */
export interface KeyValue {
  readonly key: Value;
  readonly value: Value;
}

/** Attention of a batch of texts over a cache that programs of others keep. */
export interface OnnxAttentionOptions {
  readonly builder: GraphBuilder;
  readonly config: DecoderConfig;
  /** int64 `[batch, sequence]` */
  readonly inputIds: Value;
  /** int64 `[batch, past + sequence]`: 0 for slots of padding */
  readonly attentionMask: Value;
  past(layer: number): KeyValue;
  /** Is told of the cache with the new tokens in it. */
  present(layer: number, cache: KeyValue): void;
}

/** Later than any slot, and exact in float32. */
const NEVER = 2 ** 30;

/**
 * Causal self-attention as programs that load ONNX models feed it. Who sees whom follows from slots, as in
 * transformers, and not from positions: transformers.js counts those of Gemma 3 from 1.
 */
export function onnxAttention(options: OnnxAttentionOptions): Attention {
  const { builder, config, inputIds, attentionMask, past, present } = options;
  const [batch, sequence] = inputIds.shape;
  const slots = attentionMask.shape[1]!;
  const { querySlots, keySlots } = slotsOf(builder, inputIds, attentionMask);
  const queryColumn = builder.reshape(querySlots, [batch!, 1, 1, sequence!, 1]);
  const keyRow = builder.reshape(keySlots, [batch!, 1, 1, 1, slots]);
  const biasOf = forEachWindow(config, (window) =>
    visibilityBias(builder, queryColumn, keyRow, window),
  );
  return ({ layer, part, query, key, value }) => {
    const { numHeads, numKeyValueHeads: groups, headDim } = part;
    const perText = (heads: Value): Value => builder.unflatten(heads, inputIds);
    const grown = (cached: Value, heads: Value): Value =>
      builder.concat([cached, builder.transpose(perText(heads), [0, 2, 1, 3])], 2);
    const cached = past(layer);
    const cache = { key: grown(cached.key, key), value: grown(cached.value, value) };
    present(layer, cache);
    const attended = groupedAttention(builder, part, {
      query: builder.transpose(
        builder.reshape(perText(query), [batch!, sequence!, groups, numHeads / groups, headDim]),
        [0, 2, 3, 1, 4],
      ),
      keyTransposed: builder.reshape(builder.transpose(cache.key, [0, 1, 3, 2]), [
        batch!,
        groups,
        1,
        headDim,
        slots,
      ]),
      value: builder.reshape(cache.value, [batch!, groups, 1, slots, headDim]),
      bias: biasOf(part),
    });
    return builder.reshape(builder.transpose(attended, [0, 3, 1, 2, 4]), [
      query.shape[0]!,
      numHeads * headDim,
    ]);
  };
}

/** Where new tokens and all tokens lie, counted from 1, float32 of the shapes of ids and mask; padding never. */
function slotsOf(
  builder: GraphBuilder,
  inputIds: Value,
  attentionMask: Value,
): { readonly querySlots: Value; readonly keySlots: Value } {
  const ones = (like: Value): Value => builder.cast(builder.lessOrEqual(like, like), 'float32');
  const [newOnes, allOnes] = [ones(inputIds), ones(attentionMask)];
  const pastCount = builder.sub(builder.reduceSum(allOnes, [1]), builder.reduceSum(newOnes, [1]));
  const isToken = builder.less(builder.scalar(0, 'int64'), attentionMask);
  return {
    querySlots: builder.add(builder.cumSum(newOnes), pastCount),
    keySlots: builder.where(isToken, builder.cumSum(allOnes), builder.scalar(NEVER)),
  };
}
