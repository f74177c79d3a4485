import { z } from 'zod';
import { COMMON_DEFAULTS } from '../config-keys.ts';
import { magnitude } from '../config-limits.ts';
import { family } from '../family.ts';
import { attention, decoder, layerNorm, normsBefore, plainMlp } from '../parts.ts';

/**
 * StarCoder2: LayerNorm, an MLP without a gate, biases everywhere (transformers
 * `modeling_starcoder2.py`; arXiv 2402.19173).
 */
export const starcoder2 = family({
  className: 'Starcoder2ForCausalLM',
  modelType: 'starcoder2',
  models: 'StarCoder2',
  gguf: {
    architecture: 'starcoder2',
    config: ({ number }) => ({ norm_epsilon: number('attention.layer_norm_epsilon') }),
  },
  defaults: {
    ...COMMON_DEFAULTS,
    vocab_size: 49152,
    hidden_size: 3072,
    intermediate_size: 12288,
    num_hidden_layers: 30,
    num_attention_heads: 24,
    num_key_value_heads: 2,
    hidden_act: 'gelu_pytorch_tanh',
    max_position_embeddings: 4096,
    norm_epsilon: 1e-5,
    use_bias: true,
    sliding_window: null,
    tie_word_embeddings: true,
    bos_token_id: 50256,
    eos_token_id: 50256,
  },
  keys: { hidden_act: z.string(), norm_epsilon: magnitude('epsilon'), use_bias: z.boolean() },
  declare: (keys, reader) => {
    const { sizes } = reader;
    const norm = (name: string) => layerNorm(name, sizes.hiddenSize, keys.norm_epsilon, true);
    const activation = reader.activation('hidden_act', keys.hidden_act);
    const rotary = reader.rotary();
    const bias = keys.use_bias;
    return decoder(keys, {
      norm,
      layer: (name) => ({
        attention: attention(`${name}.self_attn`, sizes, {
          rotary,
          bias,
          outputBias: bias,
          slidingWindow: keys.sliding_window ?? null,
        }),
        mlp: plainMlp(`${name}.mlp`, ['c_fc', 'c_proj'], sizes, activation, bias),
        norms: normsBefore(name, norm),
      }),
    });
  },
});
