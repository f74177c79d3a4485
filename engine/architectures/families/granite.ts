import { z } from 'zod';
import { family } from '../family.ts';
import { float32 } from '../gguf-conventions.ts';
import { gatedMlp } from '../parts.ts';
import { GRANITE_DEFAULTS, GRANITE_KEYS, graniteStyle } from './granite-parts.ts';

/**
 * Granite 3, dense: a Llama whose embeddings, scores, residuals and logits have multipliers of
 * their own (transformers `modeling_granite.py`). GGUF files of Granite 4, dense, hold it as well.
 */
export const granite = family({
  className: 'GraniteForCausalLM',
  modelType: 'granite',
  models: 'Granite 3, dense',
  gguf: {
    architecture: 'granite',
    interleavedRows: true,
    config: ({ number }) => ({
      embedding_multiplier: number('embedding_scale'),
      logits_scaling: number('logit_scale'),
      residual_multiplier: number('residual_scale'),
      attention_multiplier: number('attention.scale'),
    }),
    metadata: ({ embeddingScale, head, layers: [layer] }) => ({
      embedding_scale: float32(embeddingScale),
      logit_scale: float32(1 / head.scale),
      residual_scale: float32(layer!.residualScale),
      'attention.scale': float32(layer!.attention.scale),
    }),
  },
  defaults: { ...GRANITE_DEFAULTS, mlp_bias: false },
  keys: { ...GRANITE_KEYS, mlp_bias: z.boolean() },
  declare: (keys, reader) =>
    graniteStyle(keys, reader, {
      mlp: (layer, { sizes, activation }) =>
        gatedMlp(`${layer}.mlp`, sizes, activation, { bias: keys.mlp_bias }),
    }),
});
