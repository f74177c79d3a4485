import { COMMON_DEFAULTS } from '../config-keys.ts';
import { magnitude } from '../config-limits.ts';
import { family } from '../family.ts';
import { optionalFloat32, slidingWindow } from '../gguf-conventions.ts';
import { attention, decoder, gatedMlp, rmsNorm } from '../parts.ts';
import { GEMMA_KEYS, gemmaNorms, gemmaQueryScalar, refuseBidirectional } from './gemma-parts.ts';

/** The largest alone divides scores by the root of another width than that of its heads. */
const GEMMA2_27B_LAYERS = 46;

/**
 * Gemma 2: every other layer slides, norms before and after each part, scores and logits are capped
 * (transformers `modeling_gemma2.py`; arXiv 2408.00118).
 */
export const gemma2 = family({
  className: 'Gemma2ForCausalLM',
  modelType: 'gemma2',
  models: 'Gemma 2',
  gguf: {
    architecture: 'gemma2',
    addedOne: true,
    config: (metadata) => ({
      attn_logit_softcapping: metadata.number('attn_logit_softcapping'),
      final_logit_softcapping: metadata.number('final_logit_softcapping'),
      query_pre_attn_scalar: gemmaQueryScalar(metadata, GEMMA2_27B_LAYERS),
    }),
    metadata: (decoder) => ({
      attn_logit_softcapping: optionalFloat32(decoder.layers[0]!.attention.softCap),
      final_logit_softcapping: optionalFloat32(decoder.head.softCap),
      'attention.sliding_window': slidingWindow(decoder),
    }),
  },
  defaults: {
    ...COMMON_DEFAULTS,
    vocab_size: 256000,
    hidden_size: 2304,
    intermediate_size: 9216,
    num_hidden_layers: 26,
    num_attention_heads: 8,
    num_key_value_heads: 4,
    head_dim: 256,
    hidden_activation: 'gelu_pytorch_tanh',
    max_position_embeddings: 8192,
    rms_norm_eps: 1e-6,
    tie_word_embeddings: true,
    attention_bias: false,
    query_pre_attn_scalar: 256,
    sliding_window: 4096,
    final_logit_softcapping: 30,
    attn_logit_softcapping: 50,
    bos_token_id: 2,
    eos_token_id: 1,
    pad_token_id: 0,
  },
  keys: {
    ...GEMMA_KEYS,
    final_logit_softcapping: magnitude('softCap').nullish(),
    attn_logit_softcapping: magnitude('softCap').nullish(),
  },
  declare: (keys, reader) => {
    refuseBidirectional(keys, reader);
    const { sizes } = reader;
    const norm = (name: string) => rmsNorm(name, sizes.hiddenSize, keys.rms_norm_eps, 1);
    const activation = reader.activation('hidden_activation', keys.hidden_activation);
    const rotary = reader.rotary();
    const bias = keys.attention_bias;
    const windows = reader.windows(keys.sliding_window ?? null, (index) =>
      index % 2 === 0 ? 'sliding_attention' : 'full_attention',
    );
    return decoder(keys, {
      norm,
      embeddingScale: Math.sqrt(sizes.hiddenSize),
      head: { softCap: keys.final_logit_softcapping ?? null },
      layer: (name, index) => ({
        attention: attention(`${name}.self_attn`, sizes, {
          rotary,
          bias,
          outputBias: bias,
          slidingWindow: windows[index]!,
          scale: keys.query_pre_attn_scalar ** -0.5,
          softCap: keys.attn_logit_softcapping ?? null,
        }),
        mlp: gatedMlp(`${name}.mlp`, sizes, activation),
        norms: gemmaNorms(name, norm),
      }),
    });
  },
});
