import { previewExample } from '../../../engine/data/preview.ts';
import type { TokenizedExample } from '../../../engine/data/tokenized-example.ts';
import type { Tokenizer } from '../../../engine/tokenizer/tokenizer.ts';

/** The text of an example, with what is learned in brackets: `[…]`, or others where a text has these. */
export function markedText(
  example: TokenizedExample,
  tokenizer: Tokenizer,
  [open, close]: readonly [string, string] = ['[', ']'],
): string {
  const { tokens } = previewExample(example, tokenizer);
  return tokens
    .map(({ text, supervised }) => (supervised ? `${open}${text}${close}` : text))
    .join('')
    .replaceAll(`${close}${open}`, '');
}
