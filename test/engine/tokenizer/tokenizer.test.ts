import { describe, expect, test } from 'vitest';
import { StreamDecoder } from '../../../engine/tokenizer/stream-decoder.ts';
import { loadTokenizer, type Tokenizer } from '../../../engine/tokenizer/tokenizer.ts';
import {
  byteLevelFiles,
  byteLevelTokenizer,
  CHATML,
  NO_IDS,
  SPECIAL,
  sentencePieceFiles,
} from './tiny-tokenizer.ts';

const sentencePiece = loadTokenizer(sentencePieceFiles(), NO_IDS);
const raw = { addSpecialTokens: false };
const keep = { skipSpecialTokens: false };

describe('encode and decode', () => {
  // Ids computed with the Python package `tokenizers` 0.23 from the same tokenizer.json.
  test.each([
    ['hi you', [1, 267, 270]],
    ['hi: you é', [1, 267, 265, 270, 259, 198, 172]],
    [' you', [1, 259, 270]],
    ['a\nhi', [1, 259, 100, 13, 266]],
  ])('SentencePiece-like %j', (text, ids) => {
    expect(sentencePiece.encode(text, { addSpecialTokens: true })).toEqual(ids);
    expect(sentencePiece.encode(text, raw)).toEqual(ids.slice(1));
  });

  test('BOS that the text brings itself is not doubled', () => {
    expect(sentencePiece.encode('<s>hi', { addSpecialTokens: true })).toEqual([1, 267]);
  });

  test('a byte-level vocabulary keeps every character', () => {
    const tokenizer = byteLevelTokenizer();
    const text = '<|im_start|>user\nhé<|im_end|>';
    const ids = tokenizer.encode(text, raw);
    expect(ids).toEqual([257, 117, 115, 101, 114, 10, 104, 195, 169, 258]);
    expect(tokenizer.decode(ids, keep)).toBe(text);
    expect(tokenizer.decode(ids, { skipSpecialTokens: true })).toBe('user\nhé');
  });

  // Pieces by the Python package `tokenizers` 0.23: Digits(individual_digits).pre_tokenize_str.
  test.each([
    [true, 'a1¾Ⅷ٣ b22', ['a', '1', '¾', 'Ⅷ', '٣', ' b', '2', '2']],
    [false, 'a1¾Ⅷ٣ b22', ['a', '1¾Ⅷ٣', ' b', '22']],
  ])('digits are all numeric characters (individual: %s)', (individual_digits, text, pieces) => {
    const digits = { type: 'Digits', individual_digits };
    const vocab = Object.fromEntries([...pieces, 'END'].map((piece, id) => [piece, id]));
    const tokenizer = byteLevelTokenizer({
      tokenizerJson: {
        pre_tokenizer: { type: 'Sequence', pretokenizers: [digits] },
        decoder: { type: 'Fuse' },
        model: { type: 'BPE', vocab, merges: [], ignore_merges: true },
      },
      tokenizerConfig: { eos_token: 'END' },
    });
    expect(tokenizer.encode(text, raw).map((id) => tokenizer.tokenText(id))).toEqual(pieces);
  });

  test('decoding cleans nothing up and leaves out ids without a token', () => {
    const tokenizer = byteLevelTokenizer({
      tokenizerConfig: { eos_token: '<|im_end|>', clean_up_tokenization_spaces: true },
    });
    const ids = tokenizer.encode("it 's , ok .", raw);
    expect(tokenizer.decode([...ids, 151_000], keep)).toBe("it 's , ok .");
    expect(tokenizer.decode([], keep)).toBe('');
  });

  test('a continuation gets no space of its own', () => {
    expect(sentencePiece.encode('hi', raw)).toEqual([267]);
    expect(sentencePiece.encodeContinuation('hi')).toEqual([266]);
    expect(sentencePiece.encodeContinuation(' hi')).toEqual([267]);
    expect(byteLevelTokenizer().encodeContinuation('hi')).toEqual([104, 105]);
  });
});

describe('special tokens', () => {
  test('the tokenizer goes before the config, and generation settings add end tokens', () => {
    const files = byteLevelFiles({
      tokenizerConfig: { eos_token: { content: '<|im_end|>', lstrip: false } },
      generationConfig: { eos_token_id: [SPECIAL['<|bos|>'], SPECIAL['<|im_end|>']] },
    });
    const tokenizer = loadTokenizer(files, { bosTokenId: null, eosTokenIds: [10], padTokenId: -1 });
    expect(tokenizer.eosId).toBe(SPECIAL['<|im_end|>']);
    expect(tokenizer.eosIds).toEqual([258, 10, 256]);
    expect(tokenizer.padId).toBe(258);
    expect(tokenizer.bosId).toBeNull();
  });

  test('BOS is used where the tokenizer adds it or is told to', () => {
    const withBos = (add_bos_token: boolean): Tokenizer =>
      byteLevelTokenizer({
        tokenizerConfig: { bos_token: '<|bos|>', eos_token: '<|im_end|>', add_bos_token },
      });
    expect(withBos(true).encode('a', { addSpecialTokens: true })).toEqual([256, 97]);
    expect(withBos(false).encode('a', { addSpecialTokens: true })).toEqual([97]);
    expect(sentencePiece.bosId).toBe(1);
  });

  test('tokens are shown as they read in the text', () => {
    expect(sentencePiece.tokenText(267)).toBe(' hi');
    expect(sentencePiece.tokenText(266)).toBe('hi');
    expect(sentencePiece.tokenText(198)).toBe('<0xC3>');
    const tokenizer = byteLevelTokenizer();
    expect(tokenizer.tokenText(32)).toBe(' ');
    expect(tokenizer.tokenText(195)).toBe('<0xC3>');
    expect(tokenizer.tokenText(258)).toBe('<|im_end|>');
    expect(tokenizer.isSpecial(258)).toBe(true);
    expect(tokenizer.isSpecial(97)).toBe(false);
  });
});

describe('StreamDecoder', () => {
  const text = 'né 😀 漢字, ok\n';

  test.each([
    ['byte-level', byteLevelTokenizer()],
    ['SentencePiece-like', sentencePiece],
  ])('%s: no piece has half a character, and the pieces are the whole', (_, tokenizer) => {
    const decoder = new StreamDecoder(tokenizer, { skipSpecialTokens: true });
    const pieces = tokenizer.encode(text, raw).map((id) => decoder.push(id));
    expect(pieces.some((piece) => piece.includes('\uFFFD'))).toBe(false);
    expect(pieces.filter((piece) => piece !== '')).toHaveLength([...text].length);
    expect(pieces.join('') + decoder.flush()).toBe(text);
  });

  test('broken bytes come out too, once it is sure that they are broken', () => {
    const tokenizer = byteLevelTokenizer();
    const decoder = new StreamDecoder(tokenizer, { skipSpecialTokens: true });
    const ids = [0x61, 0xe2, 0x82, 0x62, 0xff, 0xf0, 0x9f, 0x98, 0x80, 0xe2];
    const pieces = ids.map((id) => decoder.push(id));
    expect(pieces.slice(0, 4)).toEqual(['a', '', '', '\uFFFDb']);
    expect(pieces.join('') + decoder.flush()).toBe('a\uFFFDb\uFFFD😀\uFFFD');
  });

  test('special tokens are skipped or shown', () => {
    const ids = [104, 258, 105];
    const shown = (skipSpecialTokens: boolean): string => {
      const decoder = new StreamDecoder(byteLevelTokenizer(), { skipSpecialTokens });
      return ids.map((id) => decoder.push(id)).join('') + decoder.flush();
    };
    expect(shown(true)).toBe('hi');
    expect(shown(false)).toBe('h<|im_end|>i');
  });
});

describe('chat template', () => {
  const messages = [{ role: 'user', content: 'hi' }];

  test('renders with the variables of transformers', () => {
    const tokenizer = byteLevelTokenizer({
      tokenizerConfig: { bos_token: '<|bos|>', eos_token: '<|im_end|>' },
      chatTemplate:
        "{{ bos_token }}{% if tools is none %}no tools {% endif %}{{ strftime_now('%d %b %Y %H:%M %%') }}{{ messages[0].content }}{{ eos_token }}",
    });
    const date = new Date(2031, 1, 3, 4, 5);
    expect(tokenizer.applyChatTemplate(messages, { addGenerationPrompt: false, date })).toBe(
      '<|bos|>no tools 03 Feb 2031 04:05 %hi<|im_end|>',
    );
  });

  test('asks what a turn does not have, as jinja does', () => {
    const kept = (filter: string): string =>
      byteLevelTokenizer({
        chatTemplate: `{% for m in messages | ${filter} %}{{ m.content }}{% endfor %}`,
      }).applyChatTemplate(
        [
          { role: 'assistant', content: 'call', tool_calls: [{ type: 'function' }] },
          { role: 'assistant', content: 'say' },
        ],
        { addGenerationPrompt: false },
      );
    expect(kept('selectattr("tool_calls", "undefined")')).toBe('say');
    expect(kept('rejectattr("tool_calls", "undefined")')).toBe('call');
    expect(kept('selectattr("tool_calls", "defined")')).toBe('call');
    expect(kept('rejectattr("tool_calls", "defined")')).toBe('say');
  });

  test('adds the generation prompt', () => {
    expect(byteLevelTokenizer().applyChatTemplate(messages, { addGenerationPrompt: true })).toBe(
      '<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n',
    );
  });

  test.each([
    ['{% if %}', /tiny-model is not valid Jinja/],
    ["{{ raise_exception('roles must alternate') }}", /tiny-model refused .*roles must alternate/],
    ['{{ messages.constructor.constructor("return process")() }}', /tiny-model refused/],
  ])('template %j fails in one sentence', (chatTemplate, message) => {
    const render = (): string =>
      byteLevelTokenizer({ chatTemplate }).applyChatTemplate(messages, {
        addGenerationPrompt: false,
      });
    expect(render).toThrow(expect.objectContaining({ code: 'data.chat_template' }));
    expect(render).toThrow(message);
  });

  test('a model without one says so', () => {
    const render = (): string =>
      sentencePiece.applyChatTemplate(messages, { addGenerationPrompt: false });
    expect(render).toThrow(/sentencepiece-model has no chat template/);
  });
});

describe('damaged tokenizers', () => {
  const json = byteLevelFiles().tokenizerJson;
  test.each([
    ['nothing in it', {}],
    ['no model', { ...json, model: undefined }],
    ['an unknown model', { ...json, model: { type: 'Mystery', vocab: {} } }],
    [
      'an empty vocabulary',
      { ...json, added_tokens: [], model: { type: 'BPE', vocab: {}, merges: [] } },
    ],
    ['no list of added tokens', { ...json, added_tokens: 7 }],
    ['an unknown decoder', { ...json, decoder: { type: 'Mystery' } }],
  ])('%s', (_, tokenizerJson) => {
    const open = (): Tokenizer => byteLevelTokenizer({ tokenizerJson, chatTemplate: CHATML });
    expect(open).toThrow(expect.objectContaining({ code: 'model.tokenizer' }));
    expect(open).toThrow(/tiny-model/);
  });

  test('no end token', () => {
    expect(() => byteLevelTokenizer({ tokenizerConfig: {} })).toThrow(/eos_token/);
  });

  test('a vocabulary that lacks a byte', () => {
    const model = { type: 'BPE', vocab: { a: 0, Ċ: 1 }, merges: [] };
    const tokenizer = byteLevelTokenizer({ tokenizerJson: { ...json, model } });
    expect(() => tokenizer.encode('ab', raw)).toThrow(/no token for "b"/);
  });
});
