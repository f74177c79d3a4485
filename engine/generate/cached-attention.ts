import { forEachWindow, visibilityBias } from '../architectures/causal-attention.ts';
import type { AttentionPart, DecoderConfig } from '../architectures/decoder-config.ts';
import type { Attention } from '../architectures/decoder-graph.ts';
import { groupedAttention } from '../architectures/grouped-attention.ts';
import type { GraphBuilder } from '../graph/builder.ts';
import type { Shape } from '../graph/dim.ts';
import type { Value } from '../graph/value.ts';

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
 * Cached and new keys are joined layer by layer inside the graph. At 2048 tokens of SmolLM2-135M,
 * where the cache is large beside the weights, this copy measured a tenth of a token's time, and
 * attending to the two parts separately (merged by their log-sum-exp) was slower in prompts.
 */
export function cachedAttention(options: CachedAttentionOptions): Attention {
  const { builder, positions, pastPositions, past } = options;
  const keyPositions = builder.concat([pastPositions, positions], 0);
  const attend = attentionToKeys(options, keyPositions);
  return ({ layer, part, query, key, value }) => {
    const cached = past(layer);
    return attend(part, {
      query,
      keyTransposed: builder.concat([cached.key, builder.transpose(key, [1, 2, 0])], 2),
      value: builder.concat([cached.value, builder.transpose(value, [1, 0, 2])], 1),
    });
  };
}

/** What the new tokens of a layer attend to. */
interface QueryAndKeys {
  /** `[tokens, numHeads, headDim]` */
  readonly query: Value;
  /** `[numKeyValueHeads, headDim, keys]` */
  readonly keyTransposed: Value;
  /** `[numKeyValueHeads, keys, headDim]` */
  readonly value: Value;
}

/**
 * Attention to keys that are where they are seen by their positions.
 *
 * @param keyPositions int64 `[keys]`
 * @returns what makes `[tokens, numHeads · headDim]`
 */
export function attentionToKeys(
  { builder, config, positions }: Pick<CachedAttentionOptions, 'builder' | 'config' | 'positions'>,
  keyPositions: Value,
): (part: AttentionPart, parts: QueryAndKeys) => Value {
  const tokens = positions.shape[0]!;
  const keys = keyPositions.shape[0]!;
  const asFloat = (values: Value, shape: Shape): Value =>
    builder.reshape(builder.cast(values, 'float32'), shape);
  const queryColumn = asFloat(positions, [tokens, 1]);
  const keyRow = asFloat(keyPositions, [1, keys]);
  const biasOf = forEachWindow(config, (window) =>
    visibilityBias(builder, queryColumn, keyRow, window),
  );
  return (part, { query, keyTransposed, value }) => {
    const { numHeads, numKeyValueHeads: groups, headDim } = part;
    const q = builder.transpose(
      builder.reshape(query, [tokens, groups, numHeads / groups, headDim]),
      [1, 2, 0, 3],
    );
    const attended = groupedAttention(builder, part, {
      query: q,
      keyTransposed: builder.reshape(keyTransposed, [groups, 1, headDim, keys]),
      value: builder.reshape(value, [groups, 1, keys, headDim]),
      bias: biasOf(part),
    });
    return builder.reshape(builder.transpose(attended, [2, 0, 1, 3]), [tokens, numHeads * headDim]);
  };
}
