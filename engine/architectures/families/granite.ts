import { z } from 'zod';
import { family } from '../family.ts';
import { gatedMlp } from '../parts.ts';
import { GRANITE_DEFAULTS, GRANITE_GGUF, GRANITE_KEYS, graniteStyle } from './granite-parts.ts';

/**
 * Granite 3, dense: a Llama whose embeddings, scores, residuals and logits have multipliers of
 * their own (transformers `modeling_granite.py`). GGUF files of Granite 4, dense, hold it as well.
 */
export const granite = family({
  className: 'GraniteForCausalLM',
  modelType: 'granite',
  models: 'Granite 3, dense',
  gguf: GRANITE_GGUF,
  defaults: { ...GRANITE_DEFAULTS, mlp_bias: false },
  keys: { ...GRANITE_KEYS, mlp_bias: z.boolean() },
  declare: (keys, reader) =>
    graniteStyle(keys, reader, {
      mlp: (layer, { sizes, activation }) =>
        gatedMlp(`${layer}.mlp`, sizes, activation, { bias: keys.mlp_bias }),
    }),
});
