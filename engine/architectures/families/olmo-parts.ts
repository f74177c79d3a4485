import type { AttentionPart, LayerPart, NormPart } from '../decoder-config.ts';
import { type LayerSizes, rmsNorm } from '../parts.ts';

/** Norms after each part of an OLMo 2 or 3, none before. */
export function olmoNorms(
  layer: string,
  norm: (name: string) => NormPart,
): Partial<LayerPart['norms']> {
  return {
    afterAttention: norm(`${layer}.post_attention_layernorm`),
    afterMlp: norm(`${layer}.post_feedforward_layernorm`),
  };
}

/** Norms over all queries, and over all keys, of a token. */
export function olmoAttentionNorms(
  attention: string,
  { numHeads, numKeyValueHeads, headDim }: LayerSizes,
  epsilon: number,
): Pick<AttentionPart, 'queryNorm' | 'keyNorm'> {
  return {
    queryNorm: rmsNorm(`${attention}.q_norm`, numHeads * headDim, epsilon),
    keyNorm: rmsNorm(`${attention}.k_norm`, numKeyValueHeads * headDim, epsilon),
  };
}
