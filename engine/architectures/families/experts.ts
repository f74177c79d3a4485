import { z } from 'zod';
import { count } from '../config-limits.ts';
import type { ConfigReader } from '../config-reader.ts';

/** Keys of families with experts. */
export const EXPERT_KEYS = {
  num_experts_per_tok: count('experts'),
  output_router_logits: z.boolean(),
};

export const EXPERT_DEFAULTS = { output_router_logits: false };

/**
 * @throws LorafaError `model.unsupported` for training with a loss of the router's own;
 * `model.corrupt` as `ConfigReader.requireExperts`
 */
export function checkExperts(
  keys: z.infer<z.ZodObject<typeof EXPERT_KEYS>>,
  experts: number,
  reader: ConfigReader,
): void {
  if (keys.output_router_logits) {
    throw reader.unsupported(
      'a loss that balances experts (output_router_logits) is not known; set it to false, which is what models are published with',
    );
  }
  reader.requireExperts(experts, keys.num_experts_per_tok);
}
