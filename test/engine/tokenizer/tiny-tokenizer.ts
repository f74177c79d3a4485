import { BYTE_LEVEL_ALPHABET } from '../../../engine/tokenizer/byte-level.ts';
import { loadTokenizer, type Tokenizer } from '../../../engine/tokenizer/tokenizer.ts';
import type { TokenizerFiles } from '../../../engine/tokenizer/tokenizer-files.ts';

export const SPECIAL = { '<|bos|>': 256, '<|im_start|>': 257, '<|im_end|>': 258, '<|pad|>': 259 };

export const CHATML = `{% for message in messages %}{{ '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>' + '\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}`;

/** A byte-level tokenizer without merges: token ids 0 to 255 are the bytes of the text. */
export function byteLevelFiles(changes: Partial<TokenizerFiles> = {}): TokenizerFiles {
  return {
    tokenizerJson: {
      version: '1.0',
      added_tokens: Object.entries(SPECIAL).map(([content, id]) => ({
        id,
        content,
        single_word: false,
        lstrip: false,
        rstrip: false,
        normalized: false,
        special: true,
      })),
      normalizer: null,
      pre_tokenizer: {
        type: 'ByteLevel',
        add_prefix_space: false,
        trim_offsets: true,
        use_regex: true,
      },
      post_processor: null,
      decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
      model: {
        type: 'BPE',
        vocab: Object.fromEntries(BYTE_LEVEL_ALPHABET.map((character, byte) => [character, byte])),
        merges: [],
      },
    },
    tokenizerConfig: { eos_token: '<|im_end|>' },
    chatTemplate: CHATML,
    generationConfig: null,
    source: 'tiny-model',
    ...changes,
  };
}

export const NO_IDS = { bosTokenId: null, eosTokenIds: [], padTokenId: null };

export function byteLevelTokenizer(changes: Partial<TokenizerFiles> = {}): Tokenizer {
  return loadTokenizer(byteLevelFiles(changes), NO_IDS);
}

/** A SentencePiece-like tokenizer (as Llama 2's): a space is put before a text, bytes as fallback. */
export function sentencePieceFiles(changes: Partial<TokenizerFiles> = {}): TokenizerFiles {
  const bytes = Array.from(
    { length: 256 },
    (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`,
  );
  const pieces = ['▁', 'h', 'i', 'y', 'o', 'u', ':', 'hi', '▁hi', 'yo', 'you', '▁you'];
  const vocab = ['<unk>', '<s>', '</s>', ...bytes, ...pieces];
  return {
    tokenizerJson: {
      version: '1.0',
      added_tokens: ['<unk>', '<s>', '</s>'].map((content, id) => ({
        id,
        content,
        single_word: false,
        lstrip: false,
        rstrip: false,
        normalized: false,
        special: true,
      })),
      normalizer: {
        type: 'Sequence',
        normalizers: [
          { type: 'Prepend', prepend: '▁' },
          { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
        ],
      },
      pre_tokenizer: null,
      post_processor: {
        type: 'TemplateProcessing',
        single: [
          { SpecialToken: { id: '<s>', type_id: 0 } },
          { Sequence: { id: 'A', type_id: 0 } },
        ],
        pair: [],
        special_tokens: { '<s>': { id: '<s>', ids: [1], tokens: ['<s>'] } },
      },
      decoder: {
        type: 'Sequence',
        decoders: [
          { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
          { type: 'ByteFallback' },
          { type: 'Fuse' },
          { type: 'Strip', content: ' ', start: 1, stop: 0 },
        ],
      },
      model: {
        type: 'BPE',
        dropout: null,
        unk_token: '<unk>',
        continuing_subword_prefix: null,
        end_of_word_suffix: null,
        fuse_unk: true,
        byte_fallback: true,
        vocab: Object.fromEntries(vocab.map((token, id) => [token, id])),
        merges: [
          ['h', 'i'],
          ['▁', 'hi'],
          ['y', 'o'],
          ['yo', 'u'],
          ['▁', 'you'],
        ],
      },
    },
    tokenizerConfig: { bos_token: '<s>', eos_token: '</s>' },
    chatTemplate: null,
    generationConfig: null,
    source: 'sentencepiece-model',
    ...changes,
  };
}
