import { z } from 'zod';
import { family } from '../family.ts';
import { decoder, gatedMlp, normsBefore } from '../parts.ts';
import { LLAMA_STYLE_DEFAULTS, LLAMA_STYLE_KEYS, llamaStyle } from './llama-style.ts';
import { QWEN_WINDOW_DEFAULTS, QWEN_WINDOW_KEYS, qwenWindows } from './qwen-windows.ts';
import { qwen3Attention } from './qwen3-attention.ts';

/**
 * Qwen 3, all dense sizes: each head's queries and keys are normed before they are turned
 * (transformers `modeling_qwen3.py`; arXiv 2505.09388).
 */
export const qwen3 = family({
  className: 'Qwen3ForCausalLM',
  modelType: 'qwen3',
  models: 'Qwen3, dense',
  gguf: { architecture: 'qwen3' },
  defaults: {
    ...LLAMA_STYLE_DEFAULTS,
    vocab_size: 151936,
    intermediate_size: 22016,
    num_key_value_heads: 32,
    head_dim: 128,
    attention_bias: false,
    max_position_embeddings: 32768,
    ...QWEN_WINDOW_DEFAULTS,
  },
  keys: {
    attention_bias: z.boolean(),
    ...LLAMA_STYLE_KEYS,
    ...QWEN_WINDOW_KEYS,
  },
  declare: (keys, reader) => {
    const { sizes, activation, rotary, norm } = llamaStyle(keys, reader);
    const windows = qwenWindows(keys, reader);
    return decoder(keys, {
      norm,
      layer: (name, index) => ({
        attention: qwen3Attention(`${name}.self_attn`, sizes, keys, {
          rotary,
          slidingWindow: windows[index]!,
        }),
        mlp: gatedMlp(`${name}.mlp`, sizes, activation),
        norms: normsBefore(name, norm),
      }),
    });
  },
});
