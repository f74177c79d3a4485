import type { GraphBuilder } from '../graph/builder.ts';
import type { Value } from '../graph/value.ts';
import type { AttentionPart } from './decoder-config.ts';
import { softCap } from './soft-cap.ts';

/** What attention is made of, float32; a batch goes before the groups. */
export interface GroupedHeads {
  /** `[…, groups, heads / groups, queries, headDim]` */
  readonly query: Value;
  /** `[…, groups, 1, headDim, keys]` */
  readonly keyTransposed: Value;
  /** `[…, groups, 1, keys, headDim]` */
  readonly value: Value;
  /** Of `visibilityBias`; broadcasts to the scores */
  readonly bias: Value;
}

/**
 * Softmax attention of grouped queries (arXiv 2305.13245), which share their key by broadcasting, without a copy
 * of it.
 *
 * @returns `[…, groups, heads / groups, queries, headDim]`
 */
export function groupedAttention(
  builder: GraphBuilder,
  { softCap: cap }: Pick<AttentionPart, 'softCap'>,
  { query, keyTransposed, value, bias }: GroupedHeads,
): Value {
  const scores = softCap(builder, builder.matmul(query, keyTransposed), cap);
  return builder.matmul(builder.softmax(builder.add(scores, bias)), value);
}
