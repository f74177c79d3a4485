import type { DecoderConfig } from '../decoder-config.ts';
import { family } from '../family.ts';
import { slidingWindow, uint32 } from '../gguf-conventions.ts';
import { decoder, fusedGatedMlp, linear, normsBefore, plainAttention } from '../parts.ts';
import { LLAMA_STYLE_DEFAULTS, LLAMA_STYLE_KEYS, llamaStyle } from './llama-style.ts';

/**
 * Phi 3, 3.5 and 4: queries, keys and values from one layer, gate and up from one, positions stretched
 * by LongRoPE, of Phi 4 mini in three quarters of each head (transformers `modeling_phi3.py`; arXiv
 * 2404.14219, 2503.01743).
 */
export const phi3 = family({
  className: 'Phi3ForCausalLM',
  modelType: 'phi3',
  models: 'Phi-3, Phi-3.5, Phi-4, Phi-4-mini',
  gguf: {
    architecture: 'phi3',
    metadata: (decoder) => ({
      // 0 tells Phi 4 from its elders.
      'attention.sliding_window': slidingWindow(decoder) ?? uint32(0),
      // Its tensors of factors say that it is LongRoPE.
      'rope.scaling.type': undefined,
      'rope.scaling.original_context_length': uint32(originalPositions(decoder)),
    }),
  },
  defaults: {
    ...LLAMA_STYLE_DEFAULTS,
    vocab_size: 32064,
    hidden_size: 3072,
    intermediate_size: 8192,
    max_position_embeddings: 4096,
    original_max_position_embeddings: 4096,
    rms_norm_eps: 1e-5,
    sliding_window: null,
    bos_token_id: 1,
    eos_token_id: 32000,
    pad_token_id: 32000,
  },
  keys: LLAMA_STYLE_KEYS,
  declare: (keys, reader) => {
    const { sizes, activation, rotary, norm } = llamaStyle(keys, reader, { partialFactor: 1 });
    const { hiddenSize, numHeads, numKeyValueHeads, headDim } = sizes;
    const width = (numHeads + 2 * numKeyValueHeads) * headDim;
    return decoder(keys, {
      norm,
      layer: (name) => ({
        attention: {
          ...plainAttention(sizes),
          name: `${name}.self_attn`,
          projections: {
            fused: linear(`${name}.self_attn.qkv_proj`, hiddenSize, width),
            order: 'by-kind',
          },
          output: linear(`${name}.self_attn.o_proj`, numHeads * headDim, hiddenSize),
          rotary,
          slidingWindow: keys.sliding_window ?? null,
        },
        mlp: fusedGatedMlp(`${name}.mlp`, sizes, activation),
        norms: normsBefore(name, norm),
      }),
    });
  },
});

/** The length that a model had before its positions were stretched. */
function originalPositions({ layers, maxPositionEmbeddings }: DecoderConfig): number {
  const scaling = layers[0]!.attention.rotary?.scaling;
  return scaling?.type === 'longrope'
    ? scaling.originalMaxPositionEmbeddings
    : maxPositionEmbeddings;
}
