import { readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseDecoderConfig } from '../../../engine/architectures/hugging-face-config.ts';
import { openGguf } from '../../../engine/gguf/gguf.ts';
import { typedEntries } from '../../../engine/gguf/gguf-entries.ts';
import { ggufTokenizer } from '../../../engine/gguf/gguf-tokenizer.ts';
import { preTokenizerName } from '../../../engine/gguf/gguf-tokenizer-bpe.ts';
import { ggufVocabulary } from '../../../engine/gguf/gguf-vocabulary.ts';
import { writeGguf } from '../../../engine/gguf/write-gguf.ts';
import { loadTokenizer } from '../../../engine/tokenizer/tokenizer.ts';
import { readTokenizerFiles } from '../../../engine/tokenizer/tokenizer-files.ts';
import { goldenJson, goldenPath } from '../../support/golden.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { byteLevelFiles, sentencePieceFiles } from '../tokenizer/tiny-tokenizer.ts';

function configOf(vocabSize: number, changes: object = {}) {
  const llama = goldenJson<object>('models', 'llama2', 'config.json');
  return parseDecoderConfig({ ...llama, vocab_size: vocabSize, ...changes }, 'config.json');
}

const VOCABULARIES = ['byte-level', 'sentencepiece'];

/** A tokenizer that the converter was given. */
async function golden(name: string) {
  const folder = goldenPath('export', 'vocabulary', name);
  const json = goldenJson<object>('export', 'vocabulary', name, 'config.json');
  const files = await readTokenizerFiles(folder);
  return { folder, files, config: parseDecoderConfig(json, folder) };
}

/** Vocabularies in files, by their names. */
const IN_FILES = readdirSync(goldenPath('gguf')).flatMap(
  (file) => /^tokenizer-(.*)\.gguf$/.exec(file)?.[1] ?? [],
);

async function written(entries: ReturnType<typeof ggufVocabulary>) {
  const file = path.join(await tempFolder(), 'vocabulary.gguf');
  await writeGguf(file, entries, []);
  return openGguf(file);
}

describe("a vocabulary is told as llama.cpp's converter tells it", () => {
  test.each(VOCABULARIES)('%s', async (name) => {
    const { folder, files, config } = await golden(name);
    const ours = (await written(ggufVocabulary(files, config))).metadata;
    const theirs = (await openGguf(`${folder}.gguf`)).metadata;
    for (const [key, value] of theirs) {
      // Without a `tokenizer.model` the converter gives all pieces the same score, which joins them wrongly.
      if (!key.startsWith('tokenizer.') || key.endsWith('.scores')) continue;
      expect([key, ours.get(key)]).toEqual([key, value]);
    }
    expect(ours.get('tokenizer.ggml.add_eos_token')).toBe(false);
  });
});

const TEXTS = ["It's 12345 o'clock: naïve  spaces,\n\tGrüße", 'then they were there', ' [tool] a'];

describe('a vocabulary that is read again cuts texts as before', () => {
  test.each(VOCABULARIES)('%s', async (name) => {
    const { files, config } = await golden(name);
    const read = ggufTokenizer(await written(ggufVocabulary(files, config)));
    const [before, after] = [loadTokenizer(files, config), loadTokenizer(read, config)];
    for (const text of TEXTS) {
      const options = { addSpecialTokens: true };
      expect(after.encode(text, options)).toEqual(before.encode(text, options));
    }
    expect(after.chatTemplate).not.toBeNull();
  });

  test.each(IN_FILES)('that of %s, from one file to another', async (name) => {
    const source = await openGguf(goldenPath('gguf', `tokenizer-${name}.gguf`));
    const files = ggufTokenizer(source);
    const tokens = source.metadata.get('tokenizer.ggml.tokens') as string[];
    const config = configOf(tokens.length, { bos_token_id: null, eos_token_id: null });
    const { metadata } = await written(ggufVocabulary(files, config));
    for (const key of ['model', 'pre', 'tokens', 'merges', 'bos_token_id', 'eos_token_id']) {
      const entry = `tokenizer.ggml.${key}`;
      const expected = source.metadata.get(entry);
      if (expected !== undefined) expect([key, metadata.get(entry)]).toEqual([key, expected]);
    }
    // What stands for the unknown steers, for the converter too.
    const types = source.metadata.get('tokenizer.ggml.token_type') as number[];
    expect(metadata.get('tokenizer.ggml.token_type')).toEqual(
      types.map((type) => (type === 2 ? 3 : type)),
    );
  });
});

test('of ways to write the same steps, all have the same name', async () => {
  const { files } = await golden('byte-level');
  const { pre_tokenizer: steps, ...rest } = files.tokenizerJson;
  const [split, bytes] = (steps as { pretokenizers: [object, object] }).pretokenizers;
  const named = (...pretokenizers: object[]): string | undefined =>
    preTokenizerName({ ...rest, pre_tokenizer: { type: 'Sequence', pretokenizers } });
  expect(named(split, bytes)).toBe('llama-bpe');
  expect(named({ ...split, behavior: 'Removed', invert: true }, bytes)).toBe('llama-bpe');
  expect(named({ ...split, behavior: 'Removed' }, bytes)).toBeUndefined();
  expect(named(split, { ...bytes, use_regex: true })).toBeUndefined();
  const merging = { ...rest, model: { ...(rest['model'] as object), ignore_merges: false } };
  expect(preTokenizerName({ ...merging, pre_tokenizer: steps })).toBe('dbrx');
});

describe('what llama.cpp cannot be told is refused', () => {
  test('words that are cut in a way of their own', () => {
    const files = byteLevelFiles();
    const pre_tokenizer = { type: 'Split', pattern: { Regex: 'x' }, behavior: 'Isolated' };
    const own = { ...files, tokenizerJson: { ...files.tokenizerJson, pre_tokenizer } };
    expect(() => ggufVocabulary(own, configOf(260))).toThrow(
      /: it cuts texts into words in a way that no name of llama\.cpp stands for; export the model as a merged Hugging Face folder instead\.$/,
    );
  });

  test('another kind of model', () => {
    const files = sentencePieceFiles();
    const model = { type: 'Unigram', vocab: {} };
    const own = { ...files, tokenizerJson: { ...files.tokenizerJson, model } };
    expect(() => ggufVocabulary(own, configOf(300))).toThrow(/"Unigram", and only BPE is known/);
  });

  test('more tokens than the model knows', () => {
    expect(() => ggufVocabulary(byteLevelFiles(), configOf(200))).toThrow(
      /the model knows 200 tokens/,
    );
  });
});

test('a token that looks special is hidden from people, and one of a person is theirs', () => {
  const added = (id: number, content: string) => ({ id, content, special: false });
  const files = byteLevelFiles();
  const own = {
    ...files,
    tokenizerJson: {
      ...files.tokenizerJson,
      added_tokens: [added(256, '<|x|>'), added(257, 'a▁b'), added(258, '<|im_end|>')],
    },
  };
  const entries = typedEntries(ggufVocabulary(own, configOf(259)));
  const value = (key: string) => (entries[`tokenizer.ggml.${key}`] as { value: unknown[] }).value;
  expect(value('token_type').slice(256)).toEqual([3, 4, 3]);
  expect(value('tokens').slice(256)).toEqual(['<|x|>', 'a b', '<|im_end|>']);
});
