import { permutation, Random } from '../random.ts';
import type { TokenizedExample } from './tokenized-example.ts';

/**
 * The random stream that chooses from the first set that is mixed in; further sets use those before it.
 * Others are used by `split.ts`, `streaming/row-order.ts` and `engine/train`.
 */
const MIX_STREAM = 0x7fff_ffff;

/** How many examples of a set an epoch has, whose first set has `first`; see `data.mix`. */
export function mixedCount(all: number, weight: number | undefined, first: number): number {
  return weight === undefined ? all : Math.max(1, Math.round(weight * first));
}

/**
 * What an epoch takes of each of several sets, in the order of their rows: all of the first, and of
 * the others as many as their weights say. Where a set is too small its examples come several times,
 * and none comes twice more often than another.
 *
 * @param sets none of them empty
 * @param weights of the sets, of which the first has none
 */
export function mixExamples(
  sets: readonly (readonly TokenizedExample[])[],
  weights: readonly { readonly weight: number | undefined }[],
  seed: number,
): readonly (readonly TokenizedExample[])[] {
  const first = sets[0]!.length;
  return sets.map((examples, index) => {
    const { length } = examples;
    const count = mixedCount(length, weights[index]!.weight, first);
    if (count === length) return examples;
    const random = new Random(seed, MIX_STREAM - index);
    const once = new Set(permutation(length, random).slice(0, count % length));
    const times = Math.floor(count / length);
    return examples.flatMap((example, at) =>
      Array<TokenizedExample>(times + (once.has(at) ? 1 : 0)).fill(example),
    );
  });
}
