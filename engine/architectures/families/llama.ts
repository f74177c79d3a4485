import { z } from 'zod';
import { family } from '../family.ts';
import { attention, decoder, gatedMlp, normsBefore } from '../parts.ts';
import { LLAMA_STYLE_DEFAULTS, LLAMA_STYLE_KEYS, llamaStyle } from './llama-style.ts';

/**
 * Llama 2 and 3, and all that copies it: TinyLlama, SmolLM2, Falcon 3, Yi (transformers
 * `modeling_llama.py`; arXiv 2307.09288, 2407.21783).
 */
export const llama = family({
  className: 'LlamaForCausalLM',
  modelType: 'llama',
  models: 'Llama 2, 3, 3.1, 3.2, 3.3; SmolLM2, TinyLlama, Falcon 3',
  gguf: { architecture: 'llama', interleavedRows: true },
  defaults: {
    ...LLAMA_STYLE_DEFAULTS,
    vocab_size: 32000,
    intermediate_size: 11008,
    max_position_embeddings: 2048,
    attention_bias: false,
    mlp_bias: false,
    bos_token_id: 1,
    eos_token_id: 2,
  },
  keys: {
    ...LLAMA_STYLE_KEYS,
    attention_bias: z.boolean(),
    mlp_bias: z.boolean(),
  },
  declare: (keys, reader) => {
    const { sizes, activation, rotary, norm } = llamaStyle(keys, reader);
    const bias = keys.attention_bias;
    return decoder(keys, {
      norm,
      layer: (name) => ({
        attention: attention(`${name}.self_attn`, sizes, { rotary, bias, outputBias: bias }),
        mlp: gatedMlp(`${name}.mlp`, sizes, activation, { bias: keys.mlp_bias }),
        norms: normsBefore(name, norm),
      }),
    });
  },
});
