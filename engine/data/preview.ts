import { withinTime } from '../time-limit.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import type { RowPlace } from './row.ts';
import type { TokenizedExample } from './tokenized-example.ts';

/** One token for people. */
export interface PreviewToken {
  readonly id: number;
  /** The token as it reads in the text; special tokens by their name. */
  readonly text: string;
  /** BOS, EOS, a turn marker. */
  readonly special: boolean;
  /** The model learns to write this token. */
  readonly supervised: boolean;
}

/** An example, token by token, exactly as training will see it. */
export interface ExamplePreview extends RowPlace {
  readonly tokens: readonly PreviewToken[];
  /** The row goes on after the last token, which `max_length` cuts off. */
  readonly truncated: boolean;
}

/** Shows what the model reads and what it learns of one example. */
export function previewExample(example: TokenizedExample, tokenizer: Tokenizer): ExamplePreview {
  const { file, line, truncated } = example;
  const tokens = withinTime(tokenizer.limit(example.inputIds.length), () =>
    Array.from(example.inputIds, (id, position) => ({
      id,
      text: tokenizer.tokenText(id),
      special: tokenizer.isSpecial(id),
      supervised: example.supervised[position] === 1,
    })),
  );
  return { file, line, truncated, tokens };
}
