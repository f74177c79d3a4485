import { z } from 'zod';
import { family } from '../family.ts';
import { attention, decoder, fusedGatedMlp } from '../parts.ts';
import { LLAMA_STYLE_DEFAULTS, LLAMA_STYLE_KEYS, llamaStyle } from './llama-style.ts';

/**
 * GLM-4-0414: neighbouring features of half of each head are turned, norms before and after each part
 * (transformers `modeling_glm4.py`; arXiv 2406.12793).
 */
export const glm4 = family({
  className: 'Glm4ForCausalLM',
  modelType: 'glm4',
  models: 'GLM-4-0414',
  gguf: { architecture: 'glm4' },
  defaults: {
    ...LLAMA_STYLE_DEFAULTS,
    vocab_size: 151552,
    intermediate_size: 13696,
    num_hidden_layers: 40,
    num_key_value_heads: 2,
    head_dim: 128,
    max_position_embeddings: 131072,
    rms_norm_eps: 1.5625e-7,
    attention_bias: true,
    eos_token_id: [151329, 151336, 151338],
    pad_token_id: 151329,
  },
  keys: { ...LLAMA_STYLE_KEYS, attention_bias: z.boolean() },
  declare: (keys, reader) => {
    const { sizes, activation, rotary, norm } = llamaStyle(keys, reader, {
      partialFactor: 0.5,
      interleaved: true,
    });
    return decoder(keys, {
      norm,
      layer: (name) => ({
        attention: attention(`${name}.self_attn`, sizes, { rotary, bias: keys.attention_bias }),
        mlp: fusedGatedMlp(`${name}.mlp`, sizes, activation),
        norms: {
          beforeAttention: norm(`${name}.input_layernorm`),
          afterAttention: norm(`${name}.post_self_attn_layernorm`),
          beforeMlp: norm(`${name}.post_attention_layernorm`),
          afterMlp: norm(`${name}.post_mlp_layernorm`),
        },
      }),
    });
  },
});
