import { z } from 'zod';
import { COMMON_DEFAULTS } from '../config-keys.ts';
import { magnitude } from '../config-limits.ts';
import { family } from '../family.ts';
import { decoder, layerNorm, linear, normsBefore, plainAttention, plainMlp } from '../parts.ts';

/**
 * GPT-NeoX and Pythia: attention and MLP beside each other, each behind its own LayerNorm; the queries,
 * keys and values of a head side by side; a quarter of each head is turned (transformers
 * `modeling_gpt_neox.py`; arXiv 2204.06745, 2304.01373).
 */
export const gptNeox = family({
  className: 'GPTNeoXForCausalLM',
  modelType: 'gpt_neox',
  models: 'Pythia, GPT-NeoX',
  gguf: {
    architecture: 'gptneox',
    fusedByKind: true,
    config: ({ number, boolean }) => ({
      layer_norm_eps: number('attention.layer_norm_epsilon'),
      rotary_emb_base: number('rope.freq_base'),
      use_parallel_residual: boolean('use_parallel_residual'),
    }),
    metadata: ({ layers: [layer] }) => ({ use_parallel_residual: layer!.parallel }),
  },
  defaults: {
    ...COMMON_DEFAULTS,
    vocab_size: 50432,
    hidden_size: 6144,
    intermediate_size: 24576,
    num_hidden_layers: 44,
    num_attention_heads: 64,
    hidden_act: 'gelu',
    max_position_embeddings: 2048,
    layer_norm_eps: 1e-5,
    rotary_emb_base: 10_000,
    rotary_pct: 0.25,
    use_parallel_residual: true,
    attention_bias: true,
    bos_token_id: 0,
    eos_token_id: 2,
  },
  keys: {
    hidden_act: z.string(),
    layer_norm_eps: magnitude('epsilon'),
    rotary_emb_base: magnitude('ropeTheta'),
    rotary_pct: z.number().positive().max(1),
    use_parallel_residual: z.boolean(),
    attention_bias: z.boolean(),
  },
  declare: (keys, reader) => {
    const { hiddenSize, numHeads, headDim } = reader.sizes;
    // A key for groups, which other families have, means nothing here.
    const sizes = { ...reader.sizes, numKeyValueHeads: numHeads };
    const norm = (name: string) => layerNorm(name, hiddenSize, keys.layer_norm_eps, true);
    const activation = reader.activation('hidden_act', keys.hidden_act);
    const rotary = reader.rotary({
      theta: keys.rotary_emb_base,
      partialFactor: keys.rotary_pct,
    });
    const bias = keys.attention_bias;
    const names = {
      embedding: 'gpt_neox.embed_in',
      layers: 'gpt_neox.layers',
      norm: 'gpt_neox.final_layer_norm',
      head: 'embed_out',
    };
    return decoder(keys, {
      names,
      norm,
      layer: (name) => ({
        attention: {
          ...plainAttention(sizes),
          name: `${name}.attention`,
          projections: {
            fused: linear(
              `${name}.attention.query_key_value`,
              hiddenSize,
              3 * numHeads * headDim,
              bias,
            ),
            order: 'by-head',
          },
          output: linear(`${name}.attention.dense`, numHeads * headDim, hiddenSize, bias),
          rotary,
        },
        mlp: plainMlp(`${name}.mlp`, ['dense_h_to_4h', 'dense_4h_to_h'], sizes, activation, true),
        norms: normsBefore(name, norm),
        parallel: keys.use_parallel_residual,
      }),
    });
  },
});
