import { z } from 'zod';
import { count } from '../config-limits.ts';
import { family } from '../family.ts';
import { attention, decoder, gatedExperts, normsBefore } from '../parts.ts';
import { checkExperts, EXPERT_DEFAULTS, EXPERT_KEYS } from './experts.ts';
import { LLAMA_STYLE_DEFAULTS, LLAMA_STYLE_KEYS, llamaStyle } from './llama-style.ts';

const NAMES = { gate: 'w1', up: 'w3', down: 'w2' };

/**
 * Mixtral: Mistral with a mixture of experts in every layer, whose tensors have the names of
 * transformers 4 on disk (transformers `modeling_mixtral.py`; arXiv 2401.04088). Its GGUF files call
 * themselves "llama".
 */
export const mixtral = family({
  className: 'MixtralForCausalLM',
  modelType: 'mixtral',
  models: 'Mixtral 8x7B, 8x22B',
  gguf: {
    architecture: 'llama',
    interleavedRows: true,
    onlyWith: 'expert_count',
    config: ({ number }) => ({
      num_local_experts: number('expert_count'),
      num_experts_per_tok: number('expert_used_count'),
    }),
  },
  defaults: {
    ...LLAMA_STYLE_DEFAULTS,
    ...EXPERT_DEFAULTS,
    vocab_size: 32000,
    intermediate_size: 14336,
    num_key_value_heads: 8,
    max_position_embeddings: 131072,
    rms_norm_eps: 1e-5,
    rope_theta: 1_000_000,
    sliding_window: null,
    num_local_experts: 8,
    num_experts_per_tok: 2,
    router_jitter_noise: 0,
    bos_token_id: 1,
    eos_token_id: 2,
  },
  keys: {
    ...LLAMA_STYLE_KEYS,
    ...EXPERT_KEYS,
    num_local_experts: count('experts'),
    router_jitter_noise: z.number(),
  },
  declare: (keys, reader) => {
    const { sizes, activation, rotary, norm } = llamaStyle(keys, reader);
    checkExperts(keys, keys.num_local_experts, reader);
    if (keys.router_jitter_noise > 0) {
      throw reader.unsupported(
        'noise on what routers read (router_jitter_noise) is not known; set it to 0, which is what models are published with',
      );
    }
    return decoder(keys, {
      norm,
      layer: (name) => ({
        attention: attention(`${name}.self_attn`, sizes, {
          rotary,
          slidingWindow: keys.sliding_window ?? null,
        }),
        mlp: gatedExperts(`${name}.block_sparse_moe`, sizes, activation, {
          count: keys.num_local_experts,
          expertsPerToken: keys.num_experts_per_tok,
          normalized: true,
          names: NAMES,
        }),
        norms: normsBefore(name, norm),
      }),
    });
  },
});
