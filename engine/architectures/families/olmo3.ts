import { z } from 'zod';
import { magnitude } from '../config-limits.ts';
import { family } from '../family.ts';
import { slidingWindow } from '../gguf-conventions.ts';
import { attention, decoder, gatedMlp, rmsNorm } from '../parts.ts';
import { LLAMA_STYLE_DEFAULTS, LLAMA_STYLE_KEYS } from './llama-style.ts';
import { olmoAttentionNorms, olmoNorms } from './olmo-parts.ts';

const THETA = 500_000;

/**
 * OLMo 3: OLMo 2 with three layers that slide before each that sees everything, whose positions alone
 * are stretched (transformers `modeling_olmo3.py`).
 */
export const olmo3 = family({
  className: 'Olmo3ForCausalLM',
  modelType: 'olmo3',
  models: 'OLMo 3',
  gguf: {
    architecture: 'olmo2',
    onlyWith: 'attention.sliding_window',
    config: ({ booleans }) => ({
      layer_types: booleans('attention.sliding_window_pattern')?.map((slides) =>
        slides ? 'sliding_attention' : 'full_attention',
      ),
    }),
    metadata: (decoder) => ({
      'attention.sliding_window': slidingWindow(decoder),
      'attention.sliding_window_pattern': {
        type: 'booleans',
        value: decoder.layers.map(({ attention: { slidingWindow: window } }) => window !== null),
      },
    }),
  },
  defaults: {
    ...LLAMA_STYLE_DEFAULTS,
    vocab_size: 50304,
    intermediate_size: 11008,
    max_position_embeddings: 2048,
    rms_norm_eps: 1e-5,
    attention_bias: false,
    rope_theta: THETA,
    sliding_window: 4096,
    eos_token_id: 50279,
    pad_token_id: 1,
  },
  keys: { ...LLAMA_STYLE_KEYS, attention_bias: z.boolean(), rope_theta: magnitude('ropeTheta') },
  declare: (keys, reader) => {
    const { sizes } = reader;
    const norm = (name: string) => rmsNorm(name, sizes.hiddenSize, keys.rms_norm_eps);
    const activation = reader.activation('hidden_act', keys.hidden_act);
    const everywhere = reader.rotary({ layerType: 'full_attention' });
    const nearby = reader.rotary({ layerType: 'sliding_attention', localTheta: keys.rope_theta });
    const bias = keys.attention_bias;
    const windows = reader.windows(keys.sliding_window ?? null, (layer) =>
      (layer + 1) % 4 === 0 ? 'full_attention' : 'sliding_attention',
    );
    return decoder(keys, {
      norm,
      layer: (name, layer) => ({
        attention: attention(`${name}.self_attn`, sizes, {
          rotary: windows[layer] === null ? everywhere : nearby,
          bias,
          outputBias: bias,
          slidingWindow: windows[layer]!,
          ...olmoAttentionNorms(`${name}.self_attn`, sizes, keys.rms_norm_eps),
        }),
        mlp: gatedMlp(`${name}.mlp`, sizes, activation),
        norms: olmoNorms(name, norm),
      }),
    });
  },
});
