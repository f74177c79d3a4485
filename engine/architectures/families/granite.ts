import { z } from 'zod';
import { magnitude } from '../config-limits.ts';
import { family } from '../family.ts';
import { float32 } from '../gguf-conventions.ts';
import { attention, decoder, gatedMlp, normsBefore } from '../parts.ts';
import { LLAMA_STYLE_DEFAULTS, LLAMA_STYLE_KEYS, llamaStyle } from './llama-style.ts';

/**
 * Granite 3, dense: a Llama whose embeddings, scores, residuals and logits have multipliers of
 * their own (transformers `modeling_granite.py`).
 */
export const granite = family({
  className: 'GraniteForCausalLM',
  modelType: 'granite',
  models: 'Granite 3, dense',
  gguf: {
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
  },
  defaults: {
    ...LLAMA_STYLE_DEFAULTS,
    vocab_size: 32000,
    intermediate_size: 11008,
    max_position_embeddings: 2048,
    attention_bias: false,
    mlp_bias: false,
    embedding_multiplier: 1,
    logits_scaling: 1,
    residual_multiplier: 1,
    attention_multiplier: 1,
    bos_token_id: 1,
    eos_token_id: 2,
  },
  keys: {
    ...LLAMA_STYLE_KEYS,
    attention_bias: z.boolean(),
    mlp_bias: z.boolean(),
    embedding_multiplier: magnitude('multiplier'),
    logits_scaling: magnitude('multiplier'),
    residual_multiplier: magnitude('multiplier'),
    attention_multiplier: magnitude('multiplier'),
  },
  declare: (keys, reader) => {
    const { sizes, activation, rotary, norm } = llamaStyle(keys, reader);
    const bias = keys.attention_bias;
    return decoder(keys, {
      norm,
      embeddingScale: keys.embedding_multiplier,
      head: { scale: 1 / keys.logits_scaling },
      layer: (name) => ({
        attention: attention(`${name}.self_attn`, sizes, {
          rotary,
          bias,
          outputBias: bias,
          scale: keys.attention_multiplier,
        }),
        mlp: gatedMlp(`${name}.mlp`, sizes, activation, { bias: keys.mlp_bias }),
        norms: normsBefore(name, norm),
        residualScale: keys.residual_multiplier,
      }),
    });
  },
});
