import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../engine/json-file.ts';
import { TimeLimitError } from '../../../engine/time-limit.ts';
import { loadTokenizer, type Tokenizer } from '../../../engine/tokenizer/tokenizer.ts';
import { byteLevelFiles, NO_IDS, sentencePieceFiles } from './tiny-tokenizer.ts';

const SECONDS = 0.3;
const BACKTRACKING = { Regex: '(a+)+$' };
/** Takes an expression that backtracks until the end of the universe. */
const ENDLESS = `${'a'.repeat(60)}b`;

function open(changes: JsonObject, files = byteLevelFiles(), seconds = SECONDS): Tokenizer {
  const tokenizerJson = { ...files.tokenizerJson, ...changes };
  return loadTokenizer({ ...files, tokenizerJson }, NO_IDS, { seconds });
}

const { model, added_tokens } = byteLevelFiles().tokenizerJson as {
  model: { vocab: Record<string, number> };
  added_tokens: JsonObject[];
};

describe('expressions that backtrack are ended', () => {
  const split = { type: 'Split', pattern: BACKTRACKING, behavior: 'Isolated', invert: false };
  const replace = { type: 'Replace', pattern: BACKTRACKING, content: 'b' };
  const byteLevel = byteLevelFiles().tokenizerJson['pre_tokenizer'];
  const encode = (tokenizer: Tokenizer) => tokenizer.encode(ENDLESS, { addSpecialTokens: false });
  const decode = (tokenizer: Tokenizer) =>
    tokenizer.decode([...tokenizer.encode(ENDLESS, { addSpecialTokens: false })], {
      skipSpecialTokens: false,
    });

  test.each<[string, JsonObject, (tokenizer: Tokenizer) => unknown]>([
    [
      'a pre-tokenizer',
      { pre_tokenizer: { type: 'Sequence', pretokenizers: [split, byteLevel] } },
      encode,
    ],
    ['a normalizer', { normalizer: replace }, encode],
    [
      'a text that goes on',
      { normalizer: replace },
      (tokenizer) => tokenizer.encodeContinuation(ENDLESS),
    ],
    [
      'a decoder',
      {
        decoder: {
          type: 'Sequence',
          decoders: [byteLevelFiles().tokenizerJson['decoder'], { type: 'Fuse' }, replace],
        },
      },
      decode,
    ],
  ])('%s', (_name, changes, use) => {
    const tokenizer = open(changes);
    const failure = catchError(() => use(tokenizer));
    expect(failure).toBeInstanceOf(TimeLimitError);
    expect(failure).toMatchObject({
      code: 'model.tokenizer',
      message: expect.stringMatching(/^The tokenizer of tiny-model took more than 1 seconds/),
    });
    expect(tokenizer.encode('hi', { addSpecialTokens: false })).toHaveLength(2);
  });

  test('one that is met while the tokenizer is read', () => {
    const content = ENDLESS;
    const token = { ...added_tokens[0], id: 260, content, normalized: true };
    expect(() => open({ normalizer: replace, added_tokens: [...added_tokens, token] })).toThrow(
      TimeLimitError,
    );
  });
});

describe('what no tokenizer has is refused', () => {
  const copies = Array.from({ length: 100 }, () => ({ Sequence: { id: 'A', type_id: 0 } }));

  test.each<[string, JsonObject, RegExp]>([
    [
      'an id of a billion in the vocabulary',
      { model: { ...model, vocab: { ...model.vocab, far: 1e9 } } },
      /its token "far" has the id 1000000000/,
    ],
    [
      'an added token of that id',
      { added_tokens: [...added_tokens, { id: 1e9, content: 'far', special: true }] },
      /its token "far" has the id 1000000000/,
    ],
    [
      'an id below zero',
      { model: { ...model, vocab: { ...model.vocab, far: -1 } } },
      /has the id -1/,
    ],
    [
      'a fraction of an id',
      { model: { ...model, vocab: { ...model.vocab, far: 0.5 } } },
      /has the id 0.5/,
    ],
    [
      'pieces without a length',
      { pre_tokenizer: { type: 'FixedLength', length: 0 } },
      /its pre_tokenizer cuts texts into pieces without a length/,
    ],
    [
      'a long text for every character',
      { normalizer: { type: 'Replace', pattern: { Regex: '' }, content: 'x'.repeat(1000) } },
      /its normalizer makes more than 64 characters of one/,
    ],
    [
      'many copies of the text',
      { post_processor: { type: 'TemplateProcessing', single: copies, special_tokens: {} } },
      /its post_processor makes more than 64/,
    ],
    [
      'a long end of every word',
      { model: { ...model, end_of_word_suffix: 'x'.repeat(1000) } },
      /its end_of_word_suffix has more than 64 characters/,
    ],
    [
      'a pattern as long as a book',
      { normalizer: { type: 'Replace', pattern: { Regex: '(a)'.repeat(50_000) }, content: '' } },
      /its normalizer has a pattern of more than 65536 characters/,
    ],
    [
      'a thousand parts',
      { normalizer: { type: 'Sequence', normalizers: Array(1000).fill({ type: 'NFC' }) } },
      /its normalizer has more than 256 parts/,
    ],
  ])('%s', (_name, changes, message) => {
    expect(() => open(changes)).toThrow(
      expect.objectContaining({
        code: 'model.tokenizer',
        message: expect.stringMatching(message),
      }),
    );
  });

  test('a normalizer that makes more of a text again and again', () => {
    const more = { type: 'Replace', pattern: { String: 'q' }, content: 'q'.repeat(40) };
    const normalizer = { type: 'Sequence', normalizers: Array(40).fill(more) };
    const tokenizer = open({ normalizer }, byteLevelFiles(), 60);
    expect(() => tokenizer.encode('bqb', { addSpecialTokens: false })).toThrow(
      expect.objectContaining({
        code: 'model.tokenizer',
        message: expect.stringMatching(/its normalizer makes a text of more than/),
      }),
    );
  });
});

test('published kinds of tokenizers are plausible', () => {
  const text = 'hi you';
  const encode = (tokenizer: Tokenizer) =>
    tokenizer.encode(text, { addSpecialTokens: false }).length;
  expect(encode(open({}))).toBe(6);
  expect(encode(open({}, sentencePieceFiles()))).toBe(2);
});

function catchError(action: () => unknown): unknown {
  try {
    return action();
  } catch (error) {
    return error;
  }
}

describe('what the library stumbles over has a code', () => {
  const parentheses = { Regex: `${'('.repeat(20_000)}a${')'.repeat(20_000)}` };
  const split = { type: 'Split', pattern: parentheses, behavior: 'Isolated', invert: false };

  test.each<[string, JsonObject]>([
    ['nothing among the decoders', { decoder: { type: 'Sequence', decoders: [null] } }],
    ['a text as the decoder', { decoder: 'ByteLevel' }],
    ['twenty thousand parentheses', { pre_tokenizer: split }],
    [
      'the same in a normalizer',
      { normalizer: { type: 'Replace', pattern: parentheses, content: '' } },
    ],
    ['no model', { model: null }],
  ])('%s', (_name, changes) => {
    const use = (): void => {
      const tokenizer = open(changes);
      const ids = tokenizer.encode('a b', { addSpecialTokens: true });
      tokenizer.decode(ids, { skipSpecialTokens: false });
    };
    expect(catchError(use)).toMatchObject({
      name: 'LorafaError',
      code: 'model.tokenizer',
    });
  });

  test('a decoder that is nothing is none', () => {
    const tokenizer = open({ decoder: null });
    const ids = tokenizer.encode('ab', { addSpecialTokens: false });
    expect(typeof tokenizer.decode(ids, { skipSpecialTokens: false })).toBe('string');
  });
});
