import type { GraphBuilder } from '../graph/builder.ts';
import type { Value } from '../graph/value.ts';
import type { Dropout } from '../lora/lora-linear.ts';

/** Modulus of the generator: the Mersenne prime 2³¹ − 1. Products of two residues fit int64. */
const MODULUS = 2 ** 31 - 1;
/** Multipliers of full period modulo 2³¹ − 1 (Park-Miller's, and two of L'Ecuyer's). */
const MULTIPLIERS = [48_271, 39_373, 69_621] as const;

/**
 * Inverted dropout on the input of adapters, without state: whether a feature is dropped is a
 * function of (seed, module, token, feature), computed in the graph, so that a resumed or
 * recomputed step is the same step and the mask is never stored.
 *
 * Every token and every feature is hashed to a residue; the product of the two plus a second hash
 * of the token is compared with the threshold (a pairwise independent hash, computed modulo 2³¹ − 1
 * on int64, where nothing overflows).
 *
 * @param seed int64 `[]`, another one for every batch of a run, below 2³¹
 */
export function inputDropout(builder: GraphBuilder, probability: number, seed: Value): Dropout {
  const b = builder;
  const int = (value: number): Value => b.scalar(value, 'int64');
  const modulus = int(MODULUS);
  const multiply = (x: Value, y: Value): Value => b.mod(b.mul(x, y), modulus);
  // Squaring between the multiplications breaks the linearity of a plain congruential generator.
  const hash = (x: Value): Value => {
    const once = multiply(b.add(x, int(1)), int(MULTIPLIERS[0]));
    const squared = b.add(multiply(once, once), multiply(once, int(MULTIPLIERS[1])));
    return multiply(b.add(b.mod(squared, modulus), int(1)), int(MULTIPLIERS[2]));
  };
  const threshold = int(Math.round(probability * MODULUS));
  const keepScale = b.scalar(1 / (1 - probability));
  const count = (size: number): number[] => Array.from({ length: size }, (_, i) => i);

  return (x, moduleIndex) => {
    const tokens = Number(x.shape[0]);
    const features = Number(x.shape[1]);
    const stream = hash(b.add(hash(seed), int(moduleIndex)));
    const token = hash(b.add(stream, b.constant(count(tokens), [tokens, 1], 'int64')));
    const offset = hash(token);
    const feature = hash(b.add(hash(stream), b.constant(count(features), [1, features], 'int64')));
    const drawn = b.mod(b.add(b.mul(token, feature), offset), modulus);
    return b.where(b.less(drawn, threshold), b.scalar(0), b.mul(x, keepScale));
  };
}
