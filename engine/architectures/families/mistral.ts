import { family } from '../family.ts';
import { LLAMA_STYLE_KEYS } from './llama-style.ts';
import { MISTRAL_DEFAULTS, mistralStyle } from './mistral-parts.ts';

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
  defaults: MISTRAL_DEFAULTS,
  keys: LLAMA_STYLE_KEYS,
  declare: (keys, reader) => mistralStyle(keys, reader),
});
