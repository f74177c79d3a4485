import type { GraphBuilder } from '../graph/builder.ts';
import { type AttentionBlock, attentionBlocks, MASKED } from '../graph/ops/attention.ts';
import type { Value } from '../graph/value.ts';
import type { AttentionPart, DecoderConfig } from './decoder-config.ts';
import type { Attention } from './decoder-graph.ts';
import { softCap } from './soft-cap.ts';

/** Rows of the batch and tokens per row of a training graph. */
export interface BatchShape {
  readonly rows: number;
  readonly length: number;
}

/** Queries per block, which measured best. */
const BLOCK = 128;

/**
 * Causal self-attention over whole rows, for training. Rows are padded on the right, so that no
 * real token sees padding and no padding mask is needed.
 *
 * A row may hold several examples (packing), of which none sees another: an example begins at its
 * first token, whose place in the row is that of any of its tokens less that token's position.
 * Within an example distances are those within the row, so that a window needs no more than that.
 *
 * Grouped queries meet their shared key without a copy of it: the queries of one group are laid
 * below each other in one matrix.
 *
 * @param positions int64 `[rows · length]`, from 0 in each example, where a row may hold several
 */
export function causalAttention(
  builder: GraphBuilder,
  config: DecoderConfig,
  { rows, length }: BatchShape,
  positions?: Value,
): Attention {
  const beginnings = positions && exampleBeginnings(builder, { rows, length }, positions);
  const blocksOf = forEachWindow(config, (window) =>
    attentionBlocks(length, window, BLOCK).map((block) => ({
      ...block,
      bias: blockBias(builder, block, window, beginnings),
    })),
  );
  return ({ part, query, key, value }) => {
    const { numHeads, numKeyValueHeads: groups, headDim } = part;
    const groupSize = numHeads / groups;
    const blocks = blocksOf(part);
    const q = builder.transpose(
      builder.reshape(query, [rows, length, groups, groupSize, headDim]),
      [0, 2, 3, 1, 4],
    );
    const kT = builder.transpose(
      builder.reshape(key, [rows, length, groups, headDim]),
      [0, 2, 3, 1],
    );
    const v = builder.transpose(
      builder.reshape(value, [rows, length, groups, headDim]),
      [0, 2, 1, 3],
    );
    const attended = blocks.map(({ start, end, firstKey, bias }) => {
      const size = end - start;
      const keys = end - firstKey;
      const queries = builder.reshape(builder.slice(q, 3, start, end), [
        rows,
        groups,
        groupSize * size,
        headDim,
      ]);
      const scores = builder.matmul(queries, builder.slice(kT, 3, firstKey, end));
      const capped = softCap(builder, scores, part.softCap);
      const masked = builder.add(
        builder.reshape(capped, [rows, groups, groupSize, size, keys]),
        bias,
      );
      const probabilities = builder.reshape(builder.softmax(masked), [
        rows,
        groups,
        groupSize * size,
        keys,
      ]);
      return builder.reshape(builder.matmul(probabilities, builder.slice(v, 2, firstKey, end)), [
        rows,
        groups,
        groupSize,
        size,
        headDim,
      ]);
    });
    const merged = builder.transpose(builder.concat(attended, 3), [0, 3, 1, 2, 4]);
    return builder.reshape(merged, [rows * length, numHeads * headDim]);
  };
}

/**
 * What attention needs once for each width of a window, made outside of the layers.
 *
 * @returns what belongs to an attention
 */
export function forEachWindow<T>(
  { layers }: DecoderConfig,
  make: (window: number | null) => T,
): (part: AttentionPart) => T {
  const windows = new Set(layers.map(({ attention }) => attention.slidingWindow));
  const made = new Map([...windows].map((window) => [window, make(window)]));
  return ({ slidingWindow }) => made.get(slidingWindow)!;
}

/** Where in its row each token's example begins, float32 `[rows, 1, 1, length, 1]`. */
export function exampleBeginnings(
  builder: GraphBuilder,
  { rows, length }: BatchShape,
  positions: Value,
): Value {
  const places = builder.constant(range(0, length), [length, 1]);
  const inExample = builder.reshape(builder.cast(positions, 'float32'), [rows, 1, 1, length, 1]);
  return builder.sub(places, inExample);
}

/**
 * `[queries, keys]`, or with beginnings `[rows, 1, 1, queries, keys]`: 0 where the query sees the
 * key, {@link MASKED} elsewhere.
 */
function blockBias(
  builder: GraphBuilder,
  { start, end, firstKey }: AttentionBlock,
  window: number | null,
  beginnings: Value | undefined,
): Value {
  const queries = builder.constant(range(start, end), [end - start, 1]);
  const keys = builder.constant(range(firstKey, end), [1, end - firstKey]);
  const first = beginnings && builder.slice(beginnings, 3, start, end);
  return visibilityBias(builder, queries, keys, window, first);
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}

/**
 * What is added to attention scores so that a query sees only keys at its own position or before,
 * and with a window only the last `window` of those.
 *
 * @param queries float32 positions `[…, queries, 1]`
 * @param keys float32 positions `[…, 1, keys]`
 * @param first float32 `[…, queries, 1]`: the first key that each query may see, if not any
 * @returns `[…, queries, keys]`
 */
export function visibilityBias(
  builder: GraphBuilder,
  queries: Value,
  keys: Value,
  window: number | null,
  first?: Value,
): Value {
  const conditions = [builder.lessOrEqual(keys, queries)];
  if (window !== null) {
    conditions.push(builder.less(queries, builder.add(keys, builder.scalar(window))));
  }
  if (first !== undefined) conditions.push(builder.lessOrEqual(first, keys));
  const visible = conditions.reduce((a, b) => builder.and(a, b));
  return builder.where(visible, builder.scalar(0), builder.scalar(MASKED));
}
