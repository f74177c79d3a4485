import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import { type DataOptions, learnsAll } from './options.ts';
import type { RowPlace } from './row.ts';
import type { Segment, SegmentedExample } from './segments.ts';
import type { TokenizedExample } from './tokenized-example.ts';

/**
 * Tokenizes an example and marks what is learned:
 *
 * - each segment on its own, so that the prompt's tokens are those it has at inference;
 * - of a completion everything through the token that ends it (`<|im_end|>`), not the white space
 *   that the template puts behind;
 * - what is learned last always ends in an end-of-text token, so that the model learns to stop;
 * - what the template itself marks is learned as it is marked, end tokens or not;
 * - what comes after that is left out: in a causal model it cannot influence the loss;
 * - of a row longer than `max_length`, the head is kept.
 */
export function tokenizeExample(
  { segments, isChat, isMarked }: SegmentedExample,
  tokenizer: Tokenizer,
  options: DataOptions,
  { file, line }: RowPlace,
): TokenizedExample {
  const limit = options.max_length;
  const isWhole = learnsAll(options);
  const isExact = isMarked && !isWhole;
  const isLearned = (segment: Segment): boolean => segment.isCompletion || isWhole;
  const tokens = new MarkedTokens();
  if (!isChat && tokenizer.bosId !== null) tokens.push([tokenizer.bosId], 0);
  const bosCount = tokens.length;
  let next = 0;
  for (; next < segments.length && tokens.length <= limit; next++) {
    const segment = segments[next]!;
    const isFirst = tokens.length === bosCount;
    const ids = encodeHead(segment.text, isFirst, limit + 1 - tokens.length, tokenizer);
    // A prompt may bring its own BOS.
    if (isFirst && bosCount === 1 && ids[0] === tokenizer.bosId) ids.shift();
    const isLast = segments.slice(next + 1).every((rest) => rest.text === '');
    const endsHere = isLearned(segment) && !isExact && (!isWhole || isLast);
    const learned = isLearned(segment) ? ids.length : 0;
    tokens.push(ids, endsHere ? completionLength(ids, tokenizer) : learned);
  }
  const isCut = segments.slice(next).some((rest) => isLearned(rest) && rest.text !== '');
  tokens.dropTail();
  if (!isCut && !isExact) tokens.end(tokenizer);
  return {
    inputIds: Int32Array.from(tokens.ids.slice(0, limit)),
    supervised: Uint8Array.from(tokens.flags.slice(0, limit)),
    truncated: isCut || tokens.length > limit,
    file,
    line,
  };
}

/** Token ids, each with the mark whether it is learned. */
class MarkedTokens {
  readonly ids: number[] = [];
  readonly flags: (0 | 1)[] = [];
  /** Where what is learned ends; the first token is none of the marked, even if it is all there is to learn. */
  #learned = 0;

  get length(): number {
    return this.ids.length;
  }

  /** Appends tokens, of which the first `learned` are marked. */
  push(ids: readonly number[], learned: number): void {
    if (learned > 0) this.#learned = this.length + learned;
    for (const [index, id] of ids.entries()) {
      // Nothing comes before the first token that could predict it.
      this.flags.push(index < learned && this.ids.length > 0 ? 1 : 0);
      this.ids.push(id);
    }
  }

  /** Leaves out what follows the last learned token. */
  dropTail(): void {
    if (this.#learned === 0) return;
    this.ids.length = this.#learned;
    this.flags.length = this.#learned;
  }

  /** Sees to it that what is learned last is a token that ends the text. */
  end({ eosIds, eosId }: Tokenizer): void {
    const isLearned = this.#learned > 0 && this.#learned === this.length;
    if (isLearned && !eosIds.includes(this.ids.at(-1)!)) this.push([eosId], 1);
  }
}

/** Tokens of a completion through its end-of-turn token, if only white space follows that one. */
function completionLength(ids: readonly number[], tokenizer: Tokenizer): number {
  const end = ids.findLastIndex((id) => tokenizer.isSpecial(id)) + 1;
  if (end === 0) return ids.length;
  const rest = tokenizer.decode(ids.slice(end), { skipSpecialTokens: false });
  return rest.trim() === '' ? end : ids.length;
}

/**
 * The tokens of a text, or of so much of it as surely gives `count` of them: a giant row then
 * costs no more than the part of it that is used.
 */
function encodeHead(text: string, isFirst: boolean, count: number, tokenizer: Tokenizer): number[] {
  const encode = (part: string): number[] =>
    isFirst
      ? tokenizer.encode(part, { addSpecialTokens: false })
      : tokenizer.encodeContinuation(part);
  const head = text.slice(0, (count + 1) * tokenizer.longestToken);
  const ids = encode(head);
  // White space that a normalizer swallows can leave too few.
  return head.length < text.length && ids.length <= count ? encode(text) : ids;
}
