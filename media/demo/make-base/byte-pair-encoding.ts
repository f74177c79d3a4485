import { BYTE_LEVEL_ALPHABET } from '../../../engine/tokenizer/byte-level.ts';

/** Two tokens that become one. */
export type Merge = readonly [left: string, right: string];

/** A pre-token of the corpus, as the tokens it consists of so far. */
interface Word {
  readonly count: number;
  tokens: readonly string[];
}

/**
 * Learns the merges of a byte-level BPE vocabulary (Sennrich et al., arXiv 1508.07909): again and
 * again the most frequent pair of neighbours becomes a token; of equally frequent ones, the first
 * in code point order.
 *
 * @param words how often each pre-token occurs
 * @param count merges to learn; fewer come back when no pair is left
 */
export function learnMerges(words: ReadonlyMap<string, number>, count: number): readonly Merge[] {
  const vocabulary: Word[] = [...words].map(([text, occurrences]) => ({
    count: occurrences,
    tokens: Array.from(new TextEncoder().encode(text), (byte) => BYTE_LEVEL_ALPHABET[byte]!),
  }));
  const merges: Merge[] = [];
  while (merges.length < count) {
    const merge = mostFrequentPair(vocabulary);
    if (merge === undefined) break;
    merges.push(merge);
    for (const word of vocabulary) word.tokens = applyMerge(word.tokens, merge);
  }
  return merges;
}

function mostFrequentPair(words: readonly Word[]): Merge | undefined {
  const pairs = new Map<string, { readonly merge: Merge; count: number }>();
  for (const { tokens, count } of words) {
    for (let i = 1; i < tokens.length; i++) {
      const merge: Merge = [tokens[i - 1]!, tokens[i]!];
      // No token holds a space: the byte-level alphabet writes it as "Ġ".
      const key = merge.join(' ');
      const pair = pairs.get(key);
      if (pair === undefined) pairs.set(key, { merge, count });
      else pair.count += count;
    }
  }
  const [best] = [...pairs].toSorted(
    ([keyA, a], [keyB, b]) => b.count - a.count || (keyA < keyB ? -1 : 1),
  );
  return best?.[1].merge;
}

function applyMerge(tokens: readonly string[], [left, right]: Merge): readonly string[] {
  const merged: string[] = [];
  for (const token of tokens) {
    if (token === right && merged.at(-1) === left) merged[merged.length - 1] = left + right;
    else merged.push(token);
  }
  return merged;
}
