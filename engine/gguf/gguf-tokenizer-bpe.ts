import type { JsonObject } from '../json-file.ts';
import type { GgufVocabulary, TokenizerPipeline } from './gguf-tokenizer.ts';

/** What `tokenizer.ggml.pre` stands for: how a text is cut into words before merging. */
interface PreTokenizer {
  readonly normalizer: JsonObject | null;
  readonly steps: readonly JsonObject[];
  /** A word that is a token as a whole is not merged piece by piece. */
  readonly ignoreMerges: boolean;
  readonly addsBosByDefault: boolean;
}

const byteLevel = (useRegex: boolean): JsonObject => ({
  type: 'ByteLevel',
  add_prefix_space: false,
  trim_offsets: true,
  use_regex: useRegex,
});

/** The pattern of Llama 3 and Qwen 2, which differ in how many digits make a word. */
const splitWords = (digits: string): JsonObject => ({
  type: 'Split',
  pattern: {
    Regex: [
      "(?i:'s|'t|'re|'ve|'m|'ll|'d)",
      '[^\\r\\n\\p{L}\\p{N}]?\\p{L}+',
      digits,
      ' ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*',
      '\\s*[\\r\\n]+',
      '\\s+(?!\\S)',
      '\\s+',
    ].join('|'),
  },
  behavior: 'Isolated',
  invert: false,
});

const GPT2: PreTokenizer = {
  normalizer: null,
  steps: [byteLevel(true)],
  ignoreMerges: false,
  addsBosByDefault: false,
};
const SMOLLM: PreTokenizer = {
  ...GPT2,
  steps: [{ type: 'Digits', individual_digits: true }, byteLevel(true)],
};
const LLAMA3: PreTokenizer = {
  ...GPT2,
  steps: [splitWords('\\p{N}{1,3}'), byteLevel(false)],
  ignoreMerges: true,
  addsBosByDefault: true,
};
const QWEN2: PreTokenizer = {
  ...GPT2,
  normalizer: { type: 'NFC' },
  steps: [splitWords('\\p{N}'), byteLevel(false)],
};

/** By llama.cpp's names (`llm_load_vocab`). */
const PRE_TOKENIZERS: ReadonlyMap<string, PreTokenizer> = new Map([
  ['default', GPT2],
  ['gpt-2', GPT2],
  ['smollm', SMOLLM],
  ['llama3', LLAMA3],
  ['llama-v3', LLAMA3],
  ['llama-bpe', LLAMA3],
  ['qwen2', QWEN2],
  ['deepseek-r1-qwen', QWEN2],
]);

/**
 * Byte-level BPE with the merges of the file (`tokenizer.ggml.model` "gpt2").
 *
 * @throws LorafaError `model.tokenizer` for a `tokenizer.ggml.pre` that is not known or merges that
 * do not fit the vocabulary.
 */
export function byteLevelBpe({ metadata, vocab, fail }: GgufVocabulary): TokenizerPipeline {
  const name = metadata.string('tokenizer.ggml.pre') ?? 'default';
  const pre = PRE_TOKENIZERS.get(name);
  if (pre === undefined) {
    throw fail(
      `the pre-tokenizer "${name}" is not known; known are ${[...PRE_TOKENIZERS.keys()].join(', ')}`,
    );
  }
  const merges = (metadata.strings('tokenizer.ggml.merges') ?? []).map((merge) => {
    const pair = merge.split(' ');
    if (
      pair.length !== 2 ||
      ![...pair, pair.join('')].every((part) => Object.hasOwn(vocab, part))
    ) {
      throw fail(`the merge ${JSON.stringify(merge)} does not fit the vocabulary`);
    }
    return pair;
  });
  const [firstStep] = pre.steps;
  return {
    normalizer: pre.normalizer,
    preTokenizer:
      pre.steps.length === 1 ? firstStep! : { type: 'Sequence', pretokenizers: pre.steps },
    decoder: byteLevel(true),
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: pre.ignoreMerges,
      vocab,
      merges,
    },
    addsBosByDefault: pre.addsBosByDefault,
  };
}
