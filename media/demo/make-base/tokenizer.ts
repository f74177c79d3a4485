import type { JsonObject } from '../../../engine/json-file.ts';
import { BYTE_LEVEL_ALPHABET } from '../../../engine/tokenizer/byte-level.ts';
import type { TokenizerFiles } from '../../../engine/tokenizer/tokenizer-files.ts';
import { learnMerges, type Merge } from './byte-pair-encoding.ts';

/** Ends every text; its id is 0. */
const END_OF_TEXT = '<|endoftext|>';

/**
 * Words, numbers, and every space and mark by itself: a word has the same tokens wherever it stands,
 * so that copying it is easy even for a very small model.
 */
const PRE_TOKENS = '\\p{L}+|\\p{N}+|[^\\p{L}\\p{N}]';

/**
 * Trains a byte-level BPE tokenizer, in the format of Hugging Face's tokenizers.
 *
 * @param vocabSize the end token, 256 bytes and the merges
 * @param source what the tokenizer is called in messages
 */
export function trainTokenizer(
  texts: Iterable<string>,
  vocabSize: number,
  source: string,
): TokenizerFiles {
  const counts = new Map<string, number>();
  const pattern = new RegExp(PRE_TOKENS, 'gu');
  for (const text of texts) {
    for (const [word] of text.matchAll(pattern)) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  const merges = learnMerges(counts, vocabSize - BYTE_LEVEL_ALPHABET.length - 1);
  return {
    tokenizerJson: tokenizerJson(merges),
    tokenizerConfig: {
      tokenizer_class: 'PreTrainedTokenizerFast',
      clean_up_tokenization_spaces: false,
      eos_token: END_OF_TEXT,
      pad_token: END_OF_TEXT,
    },
    chatTemplate: null,
    generationConfig: null,
    source,
  };
}

function tokenizerJson(merges: readonly Merge[]): JsonObject {
  const tokens = [END_OF_TEXT, ...BYTE_LEVEL_ALPHABET, ...merges.map((merge) => merge.join(''))];
  const byteLevel = {
    type: 'ByteLevel',
    add_prefix_space: false,
    trim_offsets: true,
    use_regex: false,
  };
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [
      {
        id: 0,
        content: END_OF_TEXT,
        single_word: false,
        lstrip: false,
        rstrip: false,
        normalized: false,
        special: true,
      },
    ],
    normalizer: null,
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        { type: 'Split', pattern: { Regex: PRE_TOKENS }, behavior: 'Isolated', invert: false },
        byteLevel,
      ],
    },
    post_processor: null,
    decoder: byteLevel,
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges,
    },
  };
}
