import { z } from 'zod';
import { COMMON_DEFAULTS } from '../config-keys.ts';
import { count, magnitude } from '../config-limits.ts';
import { family } from '../family.ts';
import { conv1d, decoder, layerNorm, plainAttention } from '../parts.ts';

/**
 * GPT-2: positions are learned and added to the tokens, queries, keys and values come from one layer, and
 * matrices are stored `[in, out]` (transformers `modeling_gpt2.py`; Radford et al. 2019, "Language
 * Models are Unsupervised Multitask Learners").
 */
export const gpt2 = family({
  className: 'GPT2LMHeadModel',
  modelType: 'gpt2',
  models: 'GPT-2, DistilGPT2',
  // As OpenAI's own files have them.
  storedNames: [
    ['wte.', 'transformer.wte.'],
    ['wpe.', 'transformer.wpe.'],
    ['h.', 'transformer.h.'],
    ['ln_f.', 'transformer.ln_f.'],
  ],
  gguf: {
    architecture: 'gpt2',
    config: ({ number }) => ({
      n_embd: number('embedding_length'),
      n_head: number('attention.head_count'),
      n_inner: number('feed_forward_length'),
      n_layer: number('block_count'),
      n_positions: number('context_length'),
      layer_norm_epsilon: number('attention.layer_norm_epsilon'),
    }),
  },
  defaults: {
    ...COMMON_DEFAULTS,
    vocab_size: 50257,
    n_embd: 768,
    n_head: 12,
    n_inner: null,
    n_layer: 12,
    n_positions: 1024,
    activation_function: 'gelu_new',
    add_cross_attention: false,
    layer_norm_epsilon: 1e-5,
    scale_attn_by_inverse_layer_idx: false,
    scale_attn_weights: true,
    tie_word_embeddings: true,
    bos_token_id: 50256,
    eos_token_id: 50256,
  },
  keys: {
    n_embd: count('width'),
    n_head: count('heads'),
    /** null: four times `n_embd` */
    n_inner: count('innerWidth').nullable(),
    n_layer: count('layers'),
    n_positions: count('positions'),
    activation_function: z.string(),
    add_cross_attention: z.boolean(),
    layer_norm_epsilon: magnitude('epsilon'),
    scale_attn_by_inverse_layer_idx: z.boolean(),
    scale_attn_weights: z.boolean(),
  },
  commonKeys: ({ n_embd: width, n_head, n_inner, n_layer, n_positions }) => ({
    hidden_size: width,
    intermediate_size: n_inner ?? 4 * width,
    max_position_embeddings: n_positions,
    num_attention_heads: n_head,
    num_hidden_layers: n_layer,
    num_key_value_heads: n_head,
    head_dim: null,
  }),
  declare: (keys, reader) => {
    const { sizes } = reader;
    const { hiddenSize, intermediateSize } = sizes;
    if (keys.add_cross_attention) {
      throw reader.unsupported('attention to another model (add_cross_attention) is not known');
    }
    const norm = (name: string) => layerNorm(name, hiddenSize, keys.layer_norm_epsilon, true);
    const activation = reader.activation('activation_function', keys.activation_function);
    const { scale } = plainAttention(sizes);
    const scaleOf = (layer: number): number =>
      (keys.scale_attn_weights ? scale : 1) /
      (keys.scale_attn_by_inverse_layer_idx ? layer + 1 : 1);
    const names = {
      embedding: 'transformer.wte',
      positions: 'transformer.wpe',
      layers: 'transformer.h',
      norm: 'transformer.ln_f',
      head: 'lm_head',
    };
    return decoder(keys, {
      names,
      norm,
      layer: (name, layer) => ({
        attention: {
          ...plainAttention(sizes),
          name: `${name}.attn`,
          projections: {
            fused: conv1d(`${name}.attn.c_attn`, hiddenSize, 3 * hiddenSize),
            order: 'by-kind',
          },
          output: conv1d(`${name}.attn.c_proj`, hiddenSize, hiddenSize),
          scale: scaleOf(layer),
        },
        mlp: {
          kind: 'plain',
          name: `${name}.mlp`,
          activation,
          up: conv1d(`${name}.mlp.c_fc`, hiddenSize, intermediateSize),
          down: conv1d(`${name}.mlp.c_proj`, intermediateSize, hiddenSize),
        },
        norms: { beforeAttention: norm(`${name}.ln_1`), beforeMlp: norm(`${name}.ln_2`) },
      }),
    });
  },
});
