import { family } from '../family.ts';
import { attention, decoder, gatedMlp, normsBefore } from '../parts.ts';
import { LLAMA_STYLE_DEFAULTS, LLAMA_STYLE_KEYS, llamaStyle } from './llama-style.ts';

/**
 * Mistral 7B, Nemo and Small: every layer slides, where there is a window; biases that a file asks
 * for are none (transformers `modeling_mistral.py`; arXiv 2310.06825). Its GGUF files call
 * themselves "llama".
 */
export const mistral = family({
  className: 'MistralForCausalLM',
  modelType: 'mistral',
  models: 'Mistral 7B, Nemo, Small',
  gguf: { architecture: 'llama', interleavedRows: true },
  defaults: {
    ...LLAMA_STYLE_DEFAULTS,
    vocab_size: 32000,
    intermediate_size: 14336,
    num_key_value_heads: 8,
    max_position_embeddings: 131072,
    sliding_window: 4096,
    bos_token_id: 1,
    eos_token_id: 2,
  },
  keys: LLAMA_STYLE_KEYS,
  declare: (keys, reader) => {
    const { sizes, activation, rotary, norm } = llamaStyle(keys, reader);
    const window = keys.sliding_window ?? null;
    const windows = reader.windows(window, () =>
      window === null ? 'full_attention' : 'sliding_attention',
    );
    return decoder(keys, {
      norm,
      layer: (name, index) => ({
        attention: attention(`${name}.self_attn`, sizes, {
          rotary,
          slidingWindow: windows[index]!,
        }),
        mlp: gatedMlp(`${name}.mlp`, sizes, activation),
        norms: normsBefore(name, norm),
      }),
    });
  },
});
