import { z } from 'zod';
import { SIZED } from '../../sized.ts';
import { CONFIG_LIMITS, count, index } from '../config-limits.ts';
import { family } from '../family.ts';
import { decoder, gatedExperts, gatedMlp, normsBefore } from '../parts.ts';
import { checkExperts, EXPERT_DEFAULTS, EXPERT_KEYS } from './experts.ts';
import { LLAMA_STYLE_DEFAULTS, LLAMA_STYLE_KEYS, llamaStyle } from './llama-style.ts';
import { qwen3Attention } from './qwen3-attention.ts';

/**
 * Qwen 3 with experts: Qwen 3's attention, and a mixture in every layer, in every
 * `decoder_sparse_step`th, or in all but `mlp_only_layers` (transformers `modeling_qwen3_moe.py`;
 * arXiv 2505.09388).
 */
export const qwen3Moe = family({
  className: 'Qwen3MoeForCausalLM',
  modelType: 'qwen3_moe',
  models: 'Qwen3 with experts: 30B-A3B, 235B-A22B',
  gguf: {
    architecture: 'qwen3moe',
    config: ({ number }) => ({
      num_experts: number('expert_count'),
      num_experts_per_tok: number('expert_used_count'),
      moe_intermediate_size: number('expert_feed_forward_length'),
      // llama.cpp does so for all of them.
      norm_topk_prob: true,
    }),
  },
  defaults: {
    ...LLAMA_STYLE_DEFAULTS,
    ...EXPERT_DEFAULTS,
    vocab_size: 151936,
    hidden_size: 2048,
    intermediate_size: 6144,
    num_hidden_layers: 24,
    num_key_value_heads: 4,
    max_position_embeddings: 32768,
    attention_bias: false,
    use_sliding_window: false,
    sliding_window: 4096,
    decoder_sparse_step: 1,
    mlp_only_layers: null,
    moe_intermediate_size: 768,
    num_experts_per_tok: 8,
    norm_topk_prob: false,
  },
  keys: {
    ...LLAMA_STYLE_KEYS,
    ...EXPERT_KEYS,
    attention_bias: z.boolean(),
    use_sliding_window: z.boolean(),
    decoder_sparse_step: count('layers'),
    mlp_only_layers: z.array(index('layers')).max(CONFIG_LIMITS.layers, SIZED).nullish(),
    moe_intermediate_size: count('innerWidth'),
    norm_topk_prob: z.boolean(),
    /** Under the second name in files of transformers 5. */
    num_experts: count('experts').nullish(),
    num_local_experts: count('experts').nullish(),
  },
  declare: (keys, reader) => {
    const { sizes, activation, rotary, norm } = llamaStyle(keys, reader);
    const experts = keys.num_local_experts ?? keys.num_experts ?? 128;
    const dense = new Set(keys.mlp_only_layers);
    const hasExperts = (layer: number): boolean =>
      !dense.has(layer) && (layer + 1) % keys.decoder_sparse_step === 0;
    checkExperts(keys, experts, reader);
    if (!reader.perLayer(hasExperts).includes(true)) {
      throw reader.unsupported(
        'no layer has experts (mlp_only_layers, decoder_sparse_step); such a model is a Qwen3ForCausalLM',
      );
    }
    return decoder(keys, {
      norm,
      layer: (name, layer) => ({
        attention: qwen3Attention(`${name}.self_attn`, sizes, keys, {
          rotary,
          slidingWindow: keys.use_sliding_window ? (keys.sliding_window ?? null) : null,
        }),
        mlp: hasExperts(layer)
          ? gatedExperts(
              `${name}.mlp`,
              { ...sizes, intermediateSize: keys.moe_intermediate_size },
              activation,
              {
                count: experts,
                expertsPerToken: keys.num_experts_per_tok,
                normalized: keys.norm_topk_prob,
              },
            )
          : gatedMlp(`${name}.mlp`, sizes, activation),
        norms: normsBefore(name, norm),
      }),
    });
  },
});
