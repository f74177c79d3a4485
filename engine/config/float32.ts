import { z } from 'zod';

/** The largest finite float32. */
export const MAX_FLOAT32 = (2 - 2 ** -23) * 2 ** 127;

/** A number that the graph takes as a float32, where a larger one would be infinite. */
export function float32(): z.ZodNumber {
  return z.number().max(MAX_FLOAT32);
}
