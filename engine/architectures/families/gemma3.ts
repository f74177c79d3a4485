import { z } from 'zod';
import { COMMON_DEFAULTS } from '../config-keys.ts';
import { index, magnitude } from '../config-limits.ts';
import { family } from '../family.ts';
import { slidingWindow } from '../gguf-conventions.ts';
import { attention, decoder, gatedMlp, rmsNorm } from '../parts.ts';
import { GEMMA_KEYS, gemmaNorms, gemmaQueryScalar, refuseBidirectional } from './gemma-parts.ts';

/** The largest alone divides scores by the root of another width than that of its heads. */
const GEMMA3_27B_LAYERS = 62;

/**
 * Gemma 3 that reads text alone: five layers that slide, with a rotary embedding of their own, then
 * one that sees everything; norms on queries and keys (transformers `modeling_gemma3.py`; arXiv
 * 2503.19786).
 */
export const gemma3 = family({
  className: 'Gemma3ForCausalLM',
  modelType: 'gemma3_text',
  models: 'Gemma 3 270M and 1B (text)',
  gguf: {
    architecture: 'gemma3',
    addedOne: true,
    config: (metadata) => ({
      query_pre_attn_scalar: gemmaQueryScalar(metadata, GEMMA3_27B_LAYERS),
    }),
    metadata: (decoder) => ({ 'attention.sliding_window': slidingWindow(decoder) }),
  },
  defaults: {
    ...COMMON_DEFAULTS,
    vocab_size: 262208,
    hidden_size: 2304,
    intermediate_size: 9216,
    num_hidden_layers: 26,
    num_attention_heads: 8,
    num_key_value_heads: 4,
    head_dim: 256,
    hidden_activation: 'gelu_pytorch_tanh',
    max_position_embeddings: 131072,
    rms_norm_eps: 1e-6,
    tie_word_embeddings: true,
    attention_bias: false,
    query_pre_attn_scalar: 256,
    rope_theta: 1_000_000,
    rope_local_base_freq: 10_000,
    sliding_window: 4096,
    sliding_window_pattern: 6,
    bos_token_id: 2,
    eos_token_id: 1,
    pad_token_id: 0,
  },
  keys: {
    ...GEMMA_KEYS,
    rope_local_base_freq: magnitude('ropeTheta'),
    sliding_window_pattern: index('layers'),
    final_logit_softcapping: z.null().optional(),
    attn_logit_softcapping: z.null().optional(),
  },
  declare: (keys, reader) => {
    refuseBidirectional(keys, reader);
    const { sizes } = reader;
    const norm = (name: string) => rmsNorm(name, sizes.hiddenSize, keys.rms_norm_eps, 1);
    const headNorm = (name: string) => rmsNorm(name, sizes.headDim, keys.rms_norm_eps, 1);
    const activation = reader.activation('hidden_activation', keys.hidden_activation);
    const everywhere = reader.rotary({ layerType: 'full_attention' });
    const nearby = reader.rotary({
      layerType: 'sliding_attention',
      localTheta: keys.rope_local_base_freq,
    });
    const bias = keys.attention_bias;
    const windows = reader.windows(keys.sliding_window ?? null, (layer) =>
      (layer + 1) % keys.sliding_window_pattern === 0 ? 'full_attention' : 'sliding_attention',
    );
    return decoder(keys, {
      names: reader.names,
      norm,
      embeddingScale: Math.sqrt(sizes.hiddenSize),
      layer: (name, layer) => ({
        attention: attention(`${name}.self_attn`, sizes, {
          rotary: windows[layer] === null ? everywhere : nearby,
          bias,
          outputBias: bias,
          queryNorm: headNorm(`${name}.self_attn.q_norm`),
          keyNorm: headNorm(`${name}.self_attn.k_norm`),
          slidingWindow: windows[layer]!,
          scale: keys.query_pre_attn_scalar ** -0.5,
        }),
        mlp: gatedMlp(`${name}.mlp`, sizes, activation),
        norms: gemmaNorms(name, norm),
      }),
    });
  },
});
