import { z } from 'zod';
import { family } from '../family.ts';
import { attention, decoder, gatedMlp } from '../parts.ts';
import { LLAMA_STYLE_DEFAULTS, LLAMA_STYLE_KEYS, llamaStyle } from './llama-style.ts';
import { olmoAttentionNorms, olmoNorms } from './olmo-parts.ts';

/**
 * OLMo 2: norms after each part and on all queries and keys of a token at once, none before
 * (transformers `modeling_olmo2.py`; arXiv 2501.00656).
 */
export const olmo2 = family({
  className: 'Olmo2ForCausalLM',
  modelType: 'olmo2',
  models: 'OLMo 2',
  gguf: { architecture: 'olmo2' },
  defaults: {
    ...LLAMA_STYLE_DEFAULTS,
    vocab_size: 50304,
    intermediate_size: 11008,
    max_position_embeddings: 2048,
    rms_norm_eps: 1e-5,
    attention_bias: false,
    eos_token_id: 50279,
    pad_token_id: 1,
  },
  keys: { ...LLAMA_STYLE_KEYS, attention_bias: z.boolean() },
  declare: (keys, reader) => {
    const { sizes, activation, rotary, norm } = llamaStyle(keys, reader);
    const bias = keys.attention_bias;
    return decoder(keys, {
      norm,
      layer: (name) => ({
        attention: attention(`${name}.self_attn`, sizes, {
          rotary,
          bias,
          outputBias: bias,
          ...olmoAttentionNorms(`${name}.self_attn`, sizes, keys.rms_norm_eps),
        }),
        mlp: gatedMlp(`${name}.mlp`, sizes, activation),
        norms: olmoNorms(name, norm),
      }),
    });
  },
});
