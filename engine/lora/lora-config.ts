import type { ResolvedConfig } from '../config/schema.ts';

/** What decides an adapter's shape and strength: fields of PEFT's LoraConfig, with its names. */
export type LoraConfig = Readonly<
  Pick<
    ResolvedConfig['lora'],
    | 'r'
    | 'lora_alpha'
    | 'lora_dropout'
    | 'target_modules'
    | 'exclude_modules'
    | 'layers_to_transform'
    | 'rank_pattern'
    | 'alpha_pattern'
    | 'use_rslora'
  >
>;
