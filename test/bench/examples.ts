import { Random } from '../../engine/random.ts';
import { SPECIAL } from '../engine/tokenizer/tiny-tokenizer.ts';

const LETTERS = 'abcdefghijklmnopqrstuvwxyz';

/** Letters between two spaces. */
const WORD = 6;

/**
 * Texts of random words. With the byte-level tokenizer of the random models, the token that ends a
 * text included, they have exactly the lengths that are asked for.
 */
export function exampleTexts(lengths: readonly number[]): string[] {
  const random = new Random(0);
  return lengths.map((length) =>
    Array.from({ length: length - 1 }, (_, place) =>
      place % (WORD + 1) === WORD ? ' ' : LETTERS[random.below(LETTERS.length)],
    ).join(''),
  );
}

/** The token ids of such a text. */
export function exampleIds(text: string): number[] {
  return [...Buffer.from(text), SPECIAL['<|im_end|>']];
}
