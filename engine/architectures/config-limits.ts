import { z } from 'zod';

/**
 * Limits by plausibility: a number above them is a mistake or an attack, and would be looped over or
 * multiplied by before any tensor shows that it is wrong. Each is that of the largest published
 * model, times a generous factor.
 *
 * | | largest published | |
 * |---|---|---|
 * | experts | 2,048 in a layer, 30,720 in all | Switch-C (arXiv 2101.03961) |
 * | layers | 1,000 | DeepNet (arXiv 2203.00555); Llama 3.1 405B has 126 |
 * | width | 18,432 | PaLM 540B; Llama 3.1 405B has 16,384 |
 * | inner width | 73,728 | PaLM 540B; Llama 3.1 405B has 53,248 |
 * | heads | 128 | Llama 3.1 405B, DeepSeek-V3 |
 * | width of a head | 256 | Gemma, PaLM |
 * | vocabulary | 901,629 | facebook/xlm-v-base; Gemma 3 has 262,208 |
 * | positions | 10,485,760 | Llama 4 Scout |
 * | rotary base | 45,200,000,000 | gradientai/Llama-3-8B-Instruct-Gradient-4194k |
 * | rotary factor | 512 | LongRoPE (arXiv 2402.13753), from 4k to 2048k positions |
 * | epsilon | 1e-5 | GPT-2 and most since |
 * | soft cap | 50 | Gemma 2 |
 * | multiplier | 12 | Granite 3 |
 */
export const CONFIG_LIMITS = {
  layers: 4096,
  width: 2 ** 18,
  innerWidth: 2 ** 20,
  heads: 4096,
  experts: 2 ** 14,
  expertsInAll: 2 ** 17,
  headWidth: 8192,
  vocabulary: 2 ** 23,
  positions: 2 ** 30,
  ropeTheta: 1e15,
  ropeFactor: 1e6,
  epsilon: 1,
  softCap: 1e6,
  multiplier: 1e6,
} as const;

/** A whole number of at least 1, up to a limit. */
export function count(limit: keyof typeof CONFIG_LIMITS): z.ZodInt {
  return z.int().positive().max(CONFIG_LIMITS[limit], implausible(limit));
}

/** The place of something in a list of up to so many. */
export function index(limit: keyof typeof CONFIG_LIMITS): z.ZodInt {
  return z.int().nonnegative().max(CONFIG_LIMITS[limit], implausible(limit));
}

/** A number above 0, up to a limit. */
export function magnitude(limit: keyof typeof CONFIG_LIMITS): z.ZodNumber {
  return z.number().positive().max(CONFIG_LIMITS[limit], implausible(limit));
}

function implausible(limit: keyof typeof CONFIG_LIMITS): string {
  return `larger than any model's, which are at most ${CONFIG_LIMITS[limit]} here`;
}
