import type { GraphBuilder } from '../graph/builder.ts';
import type { Dim } from '../graph/dim.ts';
import type { Value } from '../graph/value.ts';
import { visibilityBias } from '../models/causal-attention.ts';
import type { Attention } from '../models/decoder.ts';
import type { DecoderConfig } from '../models/decoder-config.ts';

/** What the tokens before this run left behind in one layer, `slots` of them. */
export interface PastKeyValue {
  /** `[numKeyValueHeads, headDim, slots]`: transposed, as scores are computed from it */
  readonly key: Value;
  /** `[numKeyValueHeads, slots, headDim]` */
  readonly value: Value;
}

/** Attention of new tokens over cached ones and over each other. */
export interface CachedAttentionOptions {
  readonly builder: GraphBuilder;
  readonly config: DecoderConfig;
  /** int64 `[tokens]` */
  readonly positions: Value;
  /** int64 `[slots]`: the position of the token in each slot; an empty slot has one of the future */
  readonly pastPositions: Value;
  past(layer: number): PastKeyValue;
}

/**
 * Causal self-attention over a cache, for generation. Visibility follows from positions alone, so
 * the slots of the cache may be in any order and some of them empty.
 *
 * Past and new keys never meet in one tensor, which would copy the cache for every token: each
 * part is weighted by `exp(score − logSumExp of all scores)` and the two results are added
 * (arXiv 2205.14135). Grouped queries share their key by broadcasting, without a copy of it.
 */
export function cachedAttention(options: CachedAttentionOptions): Attention {
  const { builder, config, positions, pastPositions, past } = options;
  const { numHeads, numKeyValueHeads: groups, headDim, slidingWindow } = config;
  const tokens = positions.shape[0]!;
  const slots = pastPositions.shape[0]!;
  const queryPositions = asFloat(builder, positions, [tokens, 1]);
  const bias = (keyPositions: Value): Value =>
    visibilityBias(builder, queryPositions, keyPositions, slidingWindow);
  const pastBias = bias(asFloat(builder, pastPositions, [1, slots]));
  const newBias = bias(asFloat(builder, positions, [1, tokens]));

  return ({ layer, query, key, value }) => {
    const q = builder.transpose(
      builder.reshape(query, [tokens, groups, numHeads / groups, headDim]),
      [1, 2, 0, 3],
    );
    const newKey = builder.transpose(key, [1, 2, 0]);
    const newValue = builder.transpose(value, [1, 0, 2]);
    const { key: pastKey, value: pastValue } = past(layer);
    const scores = (keys: Value, size: Dim, mask: Value): Value =>
      builder.add(builder.matmul(q, builder.reshape(keys, [groups, 1, headDim, size])), mask);
    const pastScores = scores(pastKey, slots, pastBias);
    const newScores = scores(newKey, tokens, newBias);
    const total = builder.logSumExp(
      builder.concat([builder.logSumExp(pastScores), builder.logSumExp(newScores)], 3),
    );
    const weighted = (part: Value, values: Value, size: Dim): Value =>
      builder.matmul(
        builder.exp(builder.sub(part, total)),
        builder.reshape(values, [groups, 1, size, headDim]),
      );
    const attended = builder.add(
      weighted(pastScores, pastValue, slots),
      weighted(newScores, newValue, tokens),
    );
    return builder.reshape(builder.transpose(attended, [2, 0, 1, 3]), [tokens, numHeads * headDim]);
  };
}

function asFloat(builder: GraphBuilder, positions: Value, shape: readonly Dim[]): Value {
  return builder.reshape(builder.cast(positions, 'float32'), shape);
}
