import { family } from '../family.ts';
import { attention, decoder, gatedMlp, normsBefore } from '../parts.ts';
import { LLAMA_STYLE_DEFAULTS, LLAMA_STYLE_KEYS, llamaStyle } from './llama-style.ts';
import { QWEN_WINDOW_DEFAULTS, QWEN_WINDOW_KEYS, qwenWindows } from './qwen-windows.ts';

/**
 * Qwen 2 and 2.5: q, k and v have biases whatever the keys say, and with `use_sliding_window` the
 * layers from `max_window_layers` on slide (transformers `modeling_qwen2.py`; arXiv 2407.10671).
 */
export const qwen2 = family({
  className: 'Qwen2ForCausalLM',
  modelType: 'qwen2',
  models: 'Qwen2, Qwen2.5',
  gguf: { architecture: 'qwen2' },
  defaults: {
    ...LLAMA_STYLE_DEFAULTS,
    vocab_size: 151936,
    intermediate_size: 22016,
    num_key_value_heads: 32,
    max_position_embeddings: 32768,
    ...QWEN_WINDOW_DEFAULTS,
  },
  keys: {
    ...LLAMA_STYLE_KEYS,
    ...QWEN_WINDOW_KEYS,
  },
  declare: (keys, reader) => {
    const { sizes, activation, rotary, norm } = llamaStyle(keys, reader);
    const windows = qwenWindows(keys, reader);
    return decoder(keys, {
      norm,
      layer: (name, index) => ({
        attention: attention(`${name}.self_attn`, sizes, {
          rotary,
          bias: true,
          slidingWindow: windows[index]!,
        }),
        mlp: gatedMlp(`${name}.mlp`, sizes, activation),
        norms: normsBefore(name, norm),
      }),
    });
  },
});
