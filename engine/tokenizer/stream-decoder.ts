import type { Tokenizer } from './tokenizer.ts';

/** What a decoder prints for bytes that are no whole UTF-8 character (yet). */
const REPLACEMENT = '\uFFFD';

/**
 * Turns tokens into text while they are generated. A character that is spread over several tokens
 * is held back until it is whole; the pieces joined are the decoded whole.
 */
export class StreamDecoder {
  readonly #tokenizer: Tokenizer;
  readonly #skipSpecialTokens: boolean;
  /** The tokens since the last point where the text was whole, and the one before it as context. */
  #window: number[] = [];
  /** How much of the window's text has been given out. */
  #given = 0;

  constructor(tokenizer: Tokenizer, options: { readonly skipSpecialTokens: boolean }) {
    this.#tokenizer = tokenizer;
    this.#skipSpecialTokens = options.skipSpecialTokens;
  }

  /** The text that this token completes; empty while a character is unfinished. */
  push(id: number): string {
    if (this.#skipSpecialTokens && this.#tokenizer.isSpecial(id)) return '';
    this.#window.push(id);
    const text = this.#text(this.#window);
    const isWhole = !text.endsWith(REPLACEMENT);
    // An unfinished character prints as exactly one replacement character.
    const end = isWhole ? text.length : text.length - 1;
    const piece = text.slice(this.#given, end);
    this.#given = Math.max(this.#given, end);
    if (isWhole) {
      // One token stays as context: a decoder may drop the space before the first token.
      this.#window = [id];
      this.#given = this.#text(this.#window).length;
    }
    return piece;
  }

  /** What was held back, for the end of a generation. */
  flush(): string {
    const piece = this.#text(this.#window).slice(this.#given);
    this.#window = [];
    this.#given = 0;
    return piece;
  }

  #text(ids: readonly number[]): string {
    return this.#tokenizer.decode(ids, { skipSpecialTokens: false });
  }
}
