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

const split = (alternatives: readonly string[]): JsonObject => ({
  type: 'Split',
  pattern: { Regex: alternatives.join('|') },
  behavior: 'Isolated',
  invert: false,
});

const CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const SPACES = ['\\s*[\\r\\n]+', '\\s+(?!\\S)', '\\s+'];

/** The pattern of Llama 3 and Qwen 2, which differ in how many digits make a word. */
const splitWords = (digits: string): JsonObject =>
  split([
    CONTRACTIONS,
    '[^\\r\\n\\p{L}\\p{N}]?\\p{L}+',
    digits,
    ' ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*',
    ...SPACES,
  ]);

/** The pattern of GPT-4o and Mistral's Tekken: a capital letter inside a word begins another. */
const splitCamelCase = (digits: string, ending: string): JsonObject => {
  const upper = '[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]';
  const lower = '[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]';
  const before = '[^\\r\\n\\p{L}\\p{N}]?';
  return split([
    `${before}${upper}*${lower}+${ending}`,
    `${before}${upper}+${lower}*${ending}`,
    digits,
    ' ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*',
    ...SPACES,
  ]);
};

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

const NEOX: PreTokenizer = { ...GPT2, normalizer: { type: 'NFC' } };
const COMMAND_R: PreTokenizer = { ...SMOLLM, normalizer: { type: 'NFC' } };
const DBRX: PreTokenizer = { ...LLAMA3, ignoreMerges: false, addsBosByDefault: false };
const GLM4: PreTokenizer = { ...LLAMA3, addsBosByDefault: false };
const GPT4O: PreTokenizer = {
  ...GPT2,
  steps: [splitCamelCase('\\p{N}{1,3}', `${CONTRACTIONS}?`), byteLevel(false)],
};
const TEKKEN: PreTokenizer = {
  ...GPT2,
  steps: [splitCamelCase('\\p{N}', ''), byteLevel(false)],
  ignoreMerges: true,
  addsBosByDefault: true,
};

/** By llama.cpp's names (`llama-vocab.cpp`); of names for the same, the first is written. */
const PRE_TOKENIZERS: ReadonlyMap<string, PreTokenizer> = new Map([
  ['gpt-2', GPT2],
  ['default', GPT2],
  ['olmo', NEOX],
  ['smollm', SMOLLM],
  ['refact', SMOLLM],
  ['starcoder', SMOLLM],
  ['command-r', COMMAND_R],
  ['llama-bpe', LLAMA3],
  ['llama3', LLAMA3],
  ['llama-v3', LLAMA3],
  ['falcon3', LLAMA3],
  ['dbrx', DBRX],
  ['smaug-bpe', DBRX],
  ['chatglm-bpe', DBRX],
  ['glm4', GLM4],
  ['qwen2', QWEN2],
  ['deepseek-r1-qwen', QWEN2],
  ['gpt-4o', GPT4O],
  ['tekken', TEKKEN],
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

/**
 * The name of the pre-tokenizer of a `tokenizer.json`, by its normalizer and steps; undefined where
 * none of those that are known is it.
 */
export function preTokenizerName(tokenizerJson: JsonObject): string | undefined {
  const model = tokenizerJson['model'] as JsonObject;
  const wanted = JSON.stringify([
    stepsOf(tokenizerJson['normalizer'], 'normalizers'),
    stepsOf(tokenizerJson['pre_tokenizer'], 'pretokenizers'),
    model['ignore_merges'] ?? false,
  ]);
  for (const [name, { normalizer, steps, ignoreMerges }] of PRE_TOKENIZERS) {
    const known = [
      stepsOf(normalizer, 'normalizers'),
      steps.flatMap((step) => stepsOf(step, 'pretokenizers')),
      ignoreMerges,
    ];
    if (JSON.stringify(known) === wanted) return name;
  }
  return undefined;
}

/** A component as the list of what it does, in one way of writing, without what changes no token. */
function stepsOf(component: unknown, inside: string): unknown[] {
  if (typeof component !== 'object' || component === null) return [];
  const { type, ...step } = component as JsonObject;
  switch (type) {
    case 'Sequence':
      return [step[inside] ?? []].flat().flatMap((each) => stepsOf(each, inside));
    case 'ByteLevel':
      return [[type, step['add_prefix_space'] ?? true, step['use_regex'] ?? true]];
    case 'Digits':
      return [[type, step['individual_digits'] ?? false]];
    case 'Split': {
      const { pattern, behavior, invert = false } = step;
      // Of patterns that all text is a part of, to take out what is between them is to take out nothing.
      const isAll = behavior === 'Removed' && invert === true;
      return [[type, pattern, ...(isAll ? ['Isolated', false] : [behavior, invert])]];
    }
    default:
      return [[type, step]];
  }
}
