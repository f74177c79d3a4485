import type { z } from 'zod';
import type { CommonKeys } from '../config-keys.ts';
import type { ConfigReader } from '../config-reader.ts';
import type { DecoderParts } from '../decoder-config.ts';
import { attention, decoder, gatedMlp, normsBefore } from '../parts.ts';
import type { RotaryKeys } from '../rope-config.ts';
import { LLAMA_STYLE_DEFAULTS, type LLAMA_STYLE_KEYS, llamaStyle } from './llama-style.ts';

export const MISTRAL_DEFAULTS = {
  ...LLAMA_STYLE_DEFAULTS,
  vocab_size: 32000,
  intermediate_size: 14336,
  num_key_value_heads: 8,
  max_position_embeddings: 131072,
  sliding_window: 4096,
  bos_token_id: 1,
  eos_token_id: 2,
};

/**
 * What Mistral's families have in common: Llama without biases. Where `layer_types` are left out every layer
 * slides, if there is a window.
 */
export function mistralStyle(
  keys: CommonKeys & z.infer<z.ZodObject<typeof LLAMA_STYLE_KEYS>>,
  reader: ConfigReader,
  rotaryKeys: Partial<RotaryKeys> = {},
): DecoderParts {
  const { sizes, activation, rotary, norm } = llamaStyle(keys, reader, rotaryKeys);
  const window = keys.sliding_window ?? null;
  const windows = reader.windows(window, () =>
    window === null ? 'full_attention' : 'sliding_attention',
  );
  return decoder(keys, {
    names: reader.names,
    norm,
    layer: (name, index) => ({
      attention: attention(`${name}.self_attn`, sizes, {
        rotary,
        slidingWindow: windows[index]!,
      }),
      mlp: gatedMlp(`${name}.mlp`, sizes, activation),
      norms: normsBefore(name, norm),
    }),
  });
}
