import { z } from 'zod';
import type { CommonKeys } from '../config-keys.ts';
import { magnitude } from '../config-limits.ts';
import type { ConfigReader } from '../config-reader.ts';
import type { DecoderParts, MlpPart } from '../decoder-config.ts';
import { float32, type GgufConventions } from '../gguf-conventions.ts';
import { attention, decoder, normsBefore } from '../parts.ts';
import {
  LLAMA_STYLE_DEFAULTS,
  LLAMA_STYLE_KEYS,
  type LlamaStyle,
  llamaStyle,
} from './llama-style.ts';

export const GRANITE_KEYS = {
  ...LLAMA_STYLE_KEYS,
  attention_bias: z.boolean(),
  embedding_multiplier: magnitude('multiplier'),
  logits_scaling: magnitude('multiplier'),
  residual_multiplier: magnitude('multiplier'),
  attention_multiplier: magnitude('multiplier'),
};

export const GRANITE_DEFAULTS = {
  ...LLAMA_STYLE_DEFAULTS,
  vocab_size: 32000,
  intermediate_size: 11008,
  max_position_embeddings: 2048,
  attention_bias: false,
  embedding_multiplier: 1,
  logits_scaling: 1,
  residual_multiplier: 1,
  attention_multiplier: 1,
  bos_token_id: 1,
  eos_token_id: 2,
};

export const GRANITE_GGUF: GgufConventions = {
  architecture: 'granite',
  interleavedRows: true,
  config: ({ number }) => ({
    embedding_multiplier: number('embedding_scale'),
    logits_scaling: number('logit_scale'),
    residual_multiplier: number('residual_scale'),
    attention_multiplier: number('attention.scale'),
  }),
  metadata: ({ embeddingScale, head, layers: [layer] }) => ({
    embedding_scale: float32(embeddingScale),
    logit_scale: float32(1 / head.scale),
    residual_scale: float32(layer!.residualScale),
    'attention.scale': float32(layer!.attention.scale),
  }),
};

/** What Granite's families have in common: a Llama with multipliers of embeddings, scores, residuals and logits. */
export function graniteStyle(
  keys: CommonKeys & z.infer<z.ZodObject<typeof GRANITE_KEYS>>,
  reader: ConfigReader,
  {
    mlp,
    knowsPositions = true,
  }: {
    /** The MLP of a layer by the layer's name. */
    readonly mlp: (layer: string, style: LlamaStyle) => MlpPart;
    readonly knowsPositions?: boolean;
  },
): DecoderParts {
  const style = llamaStyle(keys, reader);
  const { sizes, rotary, norm } = style;
  const bias = keys.attention_bias;
  return decoder(keys, {
    norm,
    embeddingScale: keys.embedding_multiplier,
    head: { scale: 1 / keys.logits_scaling },
    layer: (name) => ({
      attention: attention(`${name}.self_attn`, sizes, {
        rotary: knowsPositions ? rotary : null,
        bias,
        outputBias: bias,
        scale: keys.attention_multiplier,
      }),
      mlp: mlp(name, style),
      norms: normsBefore(name, norm),
      residualScale: keys.residual_multiplier,
    }),
  });
}
