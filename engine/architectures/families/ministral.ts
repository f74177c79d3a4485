import { family } from '../family.ts';
import { LLAMA_STYLE_KEYS } from './llama-style.ts';
import { MISTRAL_DEFAULTS, mistralStyle } from './mistral-parts.ts';

/**
 * Ministral: a Mistral of which some layers see everything (transformers `modeling_ministral.py`).
 */
export const ministral = family({
  className: 'MinistralForCausalLM',
  modelType: 'ministral',
  models: 'Ministral 8B',
  gguf: null,
  defaults: MISTRAL_DEFAULTS,
  keys: LLAMA_STYLE_KEYS,
  declare: (keys, reader) => mistralStyle(keys, reader),
});
