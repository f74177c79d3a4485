import { formatShape } from '../dim.ts';
import type { Op, OpTable } from '../op.ts';
import type { ValueType } from '../value.ts';
import { ownNode } from './own-domain.ts';

/** The names of these ops in `OWN_DOMAIN`. */
export const ATTENTION_OPS = {
  causalAttention: 'CausalAttention',
  causalAttentionGradients: 'CausalAttentionGradients',
  chunkAttention: 'ChunkAttention',
} as const;

type CausalOp = 'causalAttention' | 'causalAttentionGradients';

/** What attention is computed for. */
export interface AttentionSizes {
  /** Rows of the batch, and tokens in each. */
  readonly rows: number;
  readonly length: number;
  readonly numHeads: number;
  /** Divides the number of heads: as many heads in a row share a key and a value. */
  readonly numKeyValueHeads: number;
  readonly headDim: number;
  /** Tokens that a token sees, itself included; null for all before it. */
  readonly window: number | null;
  /** What the factors of products are rounded to; all else is float32. */
  readonly products: 'bfloat16' | 'float32';
}

/** Queries `start` to `end` see keys from `firstKey` to `end` at most. */
export interface AttentionBlock {
  readonly start: number;
  readonly end: number;
  readonly firstKey: number;
}

/**
 * The blocks of `size` queries of a row. A block only meets the keys that it may see, so blocks save the
 * half of the scores that a causal mask would throw away.
 */
export function attentionBlocks(
  length: number,
  window: number | null,
  size: number,
): AttentionBlock[] {
  return Array.from({ length: Math.ceil(length / size) }, (_, i) => {
    const start = i * size;
    return {
      start,
      end: Math.min(start + size, length),
      firstKey: window === null ? 0 : Math.max(0, start - window + 1),
    };
  });
}

/** The score of a key that must not be seen; exp of it is 0 in float32. */
export const MASKED = -1e9;

/** Queries per block of these ops: what the scores of so many take stays in a core's cache. Measured. */
export const FUSED_BLOCK = 64;

/** The most scores that are alive at one time: those of a block's heads. */
export function blockScores({ length, window, numHeads }: AttentionSizes): number {
  const blocks = attentionBlocks(length, window, FUSED_BLOCK);
  return (
    numHeads *
    Math.max(...blocks.map((each) => (each.end - each.start) * (each.end - each.firstKey)))
  );
}

/** Throws a `TypeError` unless the first inputs have these widths and the last one, if any, fits. */
function requireInputs(
  inputs: readonly ValueType[],
  sizes: AttentionSizes,
  widths: number[],
): void {
  const tokens = sizes.rows * sizes.length;
  const expected = [...widths.map((heads) => [tokens, heads * sizes.headDim]), [tokens]];
  inputs.forEach(({ dtype, shape }, i) => {
    if (dtype === 'float32' && String(shape) === String(expected[i])) return;
    throw new TypeError(
      `input ${i} is to be float32 ${formatShape(expected[i] ?? [])}, got ${dtype} ${formatShape(shape)}`,
    );
  });
}

function emitted(op: CausalOp): Op<CausalOp>['emit'] {
  return (onnx, value) => {
    const { window, products, numHeads, numKeyValueHeads, headDim, rows, length } =
      value.attributes;
    ownNode(onnx, ATTENTION_OPS[op], value, {
      rows,
      length,
      heads: numHeads,
      groups: numKeyValueHeads,
      width: headDim,
      window: window ?? 0,
      bfloat16: Number(products === 'bfloat16'),
    });
  };
}

/**
 * Causal self-attention of whole rows that keeps nothing for its gradients: they compute the
 * probabilities again, block by block (FlashAttention-2, arXiv 2307.08691, without its rescaling: a
 * block's scores are computed whole).
 */
export const attentionOps: Pick<OpTable, CausalOp> = {
  /**
   * `softmax(q kᵀ) v`: queries `[tokens, heads · width]`, keys and values `[tokens, groups · width]`, and
   * where rows hold several examples the place in its row at which each token's example begins
   * `[tokens]`; all float32, the result like the queries.
   */
  causalAttention: {
    infer: (inputs, sizes) => {
      const { numHeads, numKeyValueHeads: groups } = sizes;
      requireInputs(inputs, sizes, [numHeads, groups, groups]);
      return { dtype: 'float32', shape: inputs[0]!.shape };
    },
    emit: emitted('causalAttention'),
    vjp: 'not differentiable',
    samples: [],
  },
  /**
   * The gradients of queries, keys and values, one after the other in one row of float32 numbers. The
   * inputs are those of {@link attentionOps.causalAttention}, with the gradient of its result before
   * the beginnings.
   */
  causalAttentionGradients: {
    infer: (inputs, sizes) => {
      const { rows, length, numHeads, numKeyValueHeads: groups, headDim } = sizes;
      requireInputs(inputs, sizes, [numHeads, groups, groups, numHeads]);
      return {
        dtype: 'float32',
        shape: [rows * length * (numHeads + 2 * groups) * headDim],
      };
    },
    emit: emitted('causalAttentionGradients'),
    vjp: 'not differentiable',
    samples: [],
  },
};
