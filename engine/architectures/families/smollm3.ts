import { z } from 'zod';
import { SIZED } from '../../sized.ts';
import { CONFIG_LIMITS, count } from '../config-limits.ts';
import { family } from '../family.ts';
import { attention, decoder, gatedMlp, normsBefore } from '../parts.ts';
import { LLAMA_STYLE_DEFAULTS, LLAMA_STYLE_KEYS, llamaStyle } from './llama-style.ts';

/**
 * SmolLM3: a Llama of which every fourth layer does not know positions (transformers
 * `modeling_smollm3.py`; arXiv 2501.18795).
 */
export const smollm3 = family({
  className: 'SmolLM3ForCausalLM',
  modelType: 'smollm3',
  models: 'SmolLM3',
  gguf: { architecture: 'smollm3', interleavedRows: true },
  defaults: {
    ...LLAMA_STYLE_DEFAULTS,
    vocab_size: 128256,
    hidden_size: 2048,
    intermediate_size: 11008,
    num_hidden_layers: 36,
    num_attention_heads: 16,
    num_key_value_heads: 4,
    max_position_embeddings: 32768,
    rope_theta: 2_000_000,
    tie_word_embeddings: true,
    use_sliding_window: false,
    sliding_window: null,
    no_rope_layers: null,
    no_rope_layer_interval: 4,
    attention_bias: false,
    mlp_bias: false,
    bos_token_id: 128000,
    eos_token_id: 128001,
    pad_token_id: 128004,
  },
  keys: {
    ...LLAMA_STYLE_KEYS,
    attention_bias: z.boolean(),
    mlp_bias: z.boolean(),
    use_sliding_window: z.boolean(),
    /** 1 for a layer that knows positions, although the name says the opposite. */
    no_rope_layers: z.array(z.int()).max(CONFIG_LIMITS.layers, SIZED).nullable(),
    no_rope_layer_interval: count('layers'),
  },
  declare: (keys, reader) => {
    const { sizes, activation, rotary, norm } = llamaStyle(keys, reader);
    const bias = keys.attention_bias;
    const { no_rope_layers: listed, no_rope_layer_interval: interval } = keys;
    const turns = reader.perLayer((layer) =>
      listed === null ? (layer + 1) % interval !== 0 : listed[layer] !== 0,
    );
    const window = keys.use_sliding_window ? (keys.sliding_window ?? null) : null;
    const windows = reader.windows(window, (layer) =>
      window !== null && !turns[layer] ? 'sliding_attention' : 'full_attention',
    );
    return decoder(keys, {
      norm,
      layer: (name, layer) => ({
        attention: attention(`${name}.self_attn`, sizes, {
          rotary: turns[layer] ? rotary : null,
          bias,
          outputBias: bias,
          slidingWindow: windows[layer]!,
        }),
        mlp: gatedMlp(`${name}.mlp`, sizes, activation, { bias: keys.mlp_bias }),
        norms: normsBefore(name, norm),
      }),
    });
  },
});
