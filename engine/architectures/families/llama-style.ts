import { z } from 'zod';
import { COMMON_DEFAULTS, type CommonKeys } from '../config-keys.ts';
import { magnitude } from '../config-limits.ts';
import type { ConfigReader } from '../config-reader.ts';
import type { Activation, NormPart, Rotary } from '../decoder-config.ts';
import { type LayerSizes, rmsNorm } from '../parts.ts';
import type { RotaryKeys } from '../rope-config.ts';

/** Keys of families with RMSNorm and gated MLPs, as Llama has them. */
export const LLAMA_STYLE_KEYS = { hidden_act: z.string(), rms_norm_eps: magnitude('epsilon') };

export const LLAMA_STYLE_DEFAULTS = {
  ...COMMON_DEFAULTS,
  hidden_act: 'silu',
  rms_norm_eps: 1e-6,
};

/** What these families declare their layers with. */
export interface LlamaStyle {
  readonly sizes: LayerSizes;
  readonly activation: Activation;
  readonly rotary: Rotary;
  /** A norm over the hidden states, by its name. */
  readonly norm: (name: string) => NormPart;
}

/** Reads what these families have in common. */
export function llamaStyle(
  keys: CommonKeys & z.infer<z.ZodObject<typeof LLAMA_STYLE_KEYS>>,
  reader: ConfigReader,
  rotary: Partial<RotaryKeys> = {},
): LlamaStyle {
  const { sizes } = reader;
  return {
    sizes,
    activation: reader.activation('hidden_act', keys.hidden_act),
    rotary: reader.rotary(rotary),
    norm: (name) => rmsNorm(name, sizes.hiddenSize, keys.rms_norm_eps),
  };
}
