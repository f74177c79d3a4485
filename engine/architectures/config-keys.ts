import { z } from 'zod';
import { SIZED } from '../sized.ts';
import { CONFIG_LIMITS, count, index, magnitude } from './config-limits.ts';

const tokenId = index('vocabulary');
/** Published models name up to five. */
const MAX_END_TOKENS = 256;

/** The keys of a `config.json` that every family has, in its own words or by its defaults. */
export const COMMON_KEYS = {
  vocab_size: count('vocabulary'),
  hidden_size: count('width'),
  intermediate_size: count('innerWidth'),
  num_hidden_layers: count('layers'),
  num_attention_heads: count('heads'),
  /** null: as many as there are query heads. */
  num_key_value_heads: count('heads').nullish(),
  /** null: `hidden_size / num_attention_heads`. */
  head_dim: count('headWidth').nullish(),
  max_position_embeddings: count('positions'),
  tie_word_embeddings: z.boolean(),
  layer_types: z.array(z.string()).max(CONFIG_LIMITS.layers, SIZED).nullish(),
  sliding_window: count('positions').nullish(),
  rope_theta: magnitude('ropeTheta').nullish(),
  rope_scaling: z.record(z.string(), z.unknown()).nullish(),
  rope_parameters: z.record(z.string(), z.unknown()).nullish(),
  partial_rotary_factor: z.number().nullish(),
  original_max_position_embeddings: count('positions').nullish(),
  quantization_config: z.record(z.string(), z.unknown()).nullish(),
  bos_token_id: tokenId.nullish(),
  eos_token_id: z.union([tokenId, z.array(tokenId).max(MAX_END_TOKENS, SIZED)]).nullish(),
  pad_token_id: z.int().max(CONFIG_LIMITS.vocabulary).nullish(),
};

export type CommonKeys = z.infer<z.ZodObject<typeof COMMON_KEYS>>;

/** Defaults that nearly all configuration classes share. */
export const COMMON_DEFAULTS = {
  hidden_size: 4096,
  num_hidden_layers: 32,
  num_attention_heads: 32,
  num_key_value_heads: null,
  head_dim: null,
  tie_word_embeddings: false,
  rope_theta: 10_000,
  bos_token_id: null,
  eos_token_id: null,
  pad_token_id: null,
};
