import { withinTime } from '../time-limit.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import type { TokenizedExample } from './tokenized-example.ts';

/** Tokens that are bytes of a character, as `Tokenizer.tokenText` writes them. */
const PART_OF_CHARACTER = /^(?:<0x[\dA-F]{2}>)+$/;

/**
 * Texts of examples as the model reads them, special tokens included. Tokens are looked up, which is
 * far quicker than decoding; where a character was cut into several tokens the whole is decoded.
 */
export class ExampleTexts {
  readonly #tokenizer: Tokenizer;
  /** Undefined for a part of a character. */
  readonly #pieces = new Map<number, string | undefined>();

  constructor(tokenizer: Tokenizer) {
    this.#tokenizer = tokenizer;
  }

  /**
   * Which of some examples hold a text; capitals do not count.
   *
   * @throws TimeLimitError when the tokenizer does not come to an end
   */
  matching(examples: readonly TokenizedExample[], text: string): readonly boolean[] {
    const tokens = examples.reduce((sum, { inputIds }) => sum + inputIds.length, 0);
    const wanted = text.toLowerCase();
    return withinTime(this.#tokenizer.limit(tokens), () =>
      examples.map((example) => this.#textOf(example).toLowerCase().includes(wanted)),
    );
  }

  #textOf({ inputIds }: TokenizedExample): string {
    let text = '';
    for (const id of inputIds) {
      const piece = this.#piece(id);
      if (piece === undefined) {
        return this.#tokenizer.decode([...inputIds], { skipSpecialTokens: false });
      }
      text += piece;
    }
    return text;
  }

  #piece(id: number): string | undefined {
    if (this.#pieces.has(id)) return this.#pieces.get(id);
    const text = this.#tokenizer.tokenText(id);
    const piece = PART_OF_CHARACTER.test(text) ? undefined : text;
    this.#pieces.set(id, piece);
    return piece;
  }
}
