import { z } from 'zod';
import { COMMON_DEFAULTS } from '../config-keys.ts';
import { count, magnitude } from '../config-limits.ts';
import { family } from '../family.ts';
import { float32, slidingWindow } from '../gguf-conventions.ts';
import { attention, decoder, gatedMlp, layerNorm } from '../parts.ts';

/**
 * Command R7B and Command A: attention and MLP beside each other behind one LayerNorm; three layers
 * that slide and know positions, then one that does neither (transformers `modeling_cohere2.py`;
 * arXiv 2504.00698).
 */
export const cohere2 = family({
  className: 'Cohere2ForCausalLM',
  modelType: 'cohere2',
  models: 'Command R7B, Command A',
  gguf: {
    architecture: 'cohere2',
    config: ({ number }) => ({
      layer_norm_eps: number('attention.layer_norm_epsilon'),
      logit_scale: number('logit_scale'),
    }),
    metadata: (decoder) => ({
      logit_scale: float32(decoder.head.scale),
      'attention.sliding_window': slidingWindow(decoder),
      'rope.scaling.type': 'none',
    }),
  },
  defaults: {
    ...COMMON_DEFAULTS,
    vocab_size: 256000,
    hidden_size: 8192,
    intermediate_size: 22528,
    num_hidden_layers: 40,
    num_attention_heads: 64,
    hidden_act: 'silu',
    max_position_embeddings: 8192,
    layer_norm_eps: 1e-5,
    logit_scale: 0.0625,
    tie_word_embeddings: true,
    attention_bias: false,
    sliding_window: 4096,
    sliding_window_pattern: 4,
    bos_token_id: 5,
    eos_token_id: 255001,
    pad_token_id: 0,
  },
  keys: {
    hidden_act: z.string(),
    layer_norm_eps: magnitude('epsilon'),
    logit_scale: magnitude('multiplier'),
    attention_bias: z.boolean(),
    sliding_window_pattern: count('layers'),
  },
  declare: (keys, reader) => {
    const { sizes } = reader;
    const norm = (name: string) => layerNorm(name, sizes.hiddenSize, keys.layer_norm_eps, false);
    const activation = reader.activation('hidden_act', keys.hidden_act);
    const rotary = reader.rotary({ interleaved: true });
    const bias = keys.attention_bias;
    const windows = reader.windows(keys.sliding_window ?? null, (layer) =>
      (layer + 1) % keys.sliding_window_pattern === 0 ? 'full_attention' : 'sliding_attention',
    );
    return decoder(keys, {
      norm,
      head: { scale: keys.logit_scale },
      layer: (name, layer) => ({
        attention: attention(`${name}.self_attn`, sizes, {
          rotary: windows[layer] === null ? null : rotary,
          bias,
          outputBias: bias,
          slidingWindow: windows[layer]!,
        }),
        mlp: gatedMlp(`${name}.mlp`, sizes, activation),
        norms: { beforeAttention: norm(`${name}.input_layernorm`) },
        parallel: true,
      }),
    });
  },
});
