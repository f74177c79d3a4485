import { family } from '../family.ts';
import { optionalFloat32 } from '../gguf-conventions.ts';
import { LLAMA_STYLE_KEYS } from './llama-style.ts';
import { MISTRAL_DEFAULTS, mistralStyle } from './mistral-parts.ts';

/**
 * Ministral 3: a Mistral whose positions are stretched by YaRN and whose queries grow with them
 * (transformers `modeling_ministral3.py`).
 */
export const ministral3 = family({
  className: 'Ministral3ForCausalLM',
  modelType: 'ministral3',
  models: 'Ministral 3 (text)',
  gguf: {
    architecture: 'mistral3',
    interleavedRows: true,
    // The text of Mistral Small 3.1 and later, which is a Mistral's.
    config: ({ number }) =>
      number('attention.temperature_scale') === undefined
        ? {
            rope_parameters: {
              rope_type: 'default',
              rope_theta: number('rope.freq_base'),
              original_max_position_embeddings: number('context_length'),
              llama_4_scaling_beta: 0,
            },
          }
        : {},
    metadata: (decoder) => ({
      'attention.temperature_scale': optionalFloat32(
        decoder.layers[0]!.attention.rotary?.growingQueries?.beta ?? null,
      ),
    }),
  },
  defaults: {
    ...MISTRAL_DEFAULTS,
    vocab_size: 131072,
    num_hidden_layers: 34,
    head_dim: 128,
    max_position_embeddings: 262144,
    rms_norm_eps: 1e-5,
    rope_theta: null,
    rope_parameters: {
      rope_type: 'yarn',
      rope_theta: 1_000_000,
      factor: 16,
      original_max_position_embeddings: 16384,
      mscale: 1,
      mscale_all_dim: 1,
      llama_4_scaling_beta: 0.1,
    },
    sliding_window: null,
    pad_token_id: 11,
  },
  keys: LLAMA_STYLE_KEYS,
  declare: (keys, reader) => mistralStyle(keys, reader, { growingQueries: true }),
});
