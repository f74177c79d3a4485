import { z } from 'zod';
import { magnitude } from '../config-limits.ts';
import type { ConfigReader } from '../config-reader.ts';
import type { LayerPart, NormPart } from '../decoder-config.ts';
import type { GgufKeys } from '../gguf-conventions.ts';

/** Keys that Gemma 2 and 3 share. */
export const GEMMA_KEYS = {
  hidden_activation: z.string(),
  rms_norm_eps: magnitude('epsilon'),
  attention_bias: z.boolean(),
  query_pre_attn_scalar: magnitude('headWidth'),
  use_bidirectional_attention: z.boolean().nullish(),
};

/** Norms before and after each part. */
export function gemmaNorms(layer: string, norm: (name: string) => NormPart): LayerPart['norms'] {
  return {
    beforeAttention: norm(`${layer}.input_layernorm`),
    afterAttention: norm(`${layer}.post_attention_layernorm`),
    beforeMlp: norm(`${layer}.pre_feedforward_layernorm`),
    afterMlp: norm(`${layer}.post_feedforward_layernorm`),
  };
}

/**
 * What the root of divides the scores: a GGUF file does not say, so llama.cpp knows it by the number of
 * layers, and so does this.
 */
export function gemmaQueryScalar(metadata: GgufKeys, largestLayers: number): number | undefined {
  const headDim = metadata.number('attention.key_length');
  if (metadata.number('block_count') !== largestLayers) return headDim;
  const width = metadata.number('embedding_length');
  const heads = metadata.number('attention.head_count');
  return width === undefined || heads === undefined ? headDim : width / heads;
}

/** @throws LorafaError `model.unsupported` for a Gemma that makes embeddings instead of text. */
export function refuseBidirectional(
  keys: { use_bidirectional_attention?: boolean | null | undefined },
  reader: ConfigReader,
): void {
  if (keys.use_bidirectional_attention) {
    throw reader.unsupported(
      'tokens that see what follows them (use_bidirectional_attention) are not known',
    );
  }
}
