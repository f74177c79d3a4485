import path from 'node:path';
import { loadTokenizer } from '../../../../engine/tokenizer/tokenizer.ts';
import { readTokenizerFiles } from '../../../../engine/tokenizer/tokenizer-files.ts';
import {
  byteLevelFiles,
  CHATML,
  NO_IDS,
  sentencePieceFiles,
} from '../../../engine/tokenizer/tiny-tokenizer.ts';
import type { FuzzedReader } from '../reader.ts';
import { jsonBytes, writeTokenizer } from './tiny-files.ts';

/** Seconds that a tokenizer or a template may take here: in earnest they get longer. */
const SECONDS = 0.3;

const TEXT = 'Hello, wörld: 3.14 ½ <|im_end|>\n you hi \ud83d\ude00 1234567';
const MESSAGES = [
  { role: 'system', content: 'Be brief.' },
  { role: 'user', content: TEXT },
  { role: 'assistant', content: 'yes' },
];

/** Opens the tokenizer of a folder and does with it what the product does. */
async function useTokenizer(folder: string): Promise<void> {
  const files = await readTokenizerFiles(folder);
  const tokenizer = loadTokenizer(files, NO_IDS, { seconds: SECONDS });
  const ids = tokenizer.encode(TEXT, { addSpecialTokens: true });
  tokenizer.encodeContinuation(TEXT);
  tokenizer.decode(ids, { skipSpecialTokens: false });
  tokenizer.decode([0, 1, 2, 10 ** 9, -1], { skipSpecialTokens: true });
  for (const id of ids.slice(0, 5)) tokenizer.tokenText(id);
  if (tokenizer.chatTemplate === null) return;
  const date = new Date(0);
  tokenizer.applyChatTemplate(MESSAGES, { addGenerationPrompt: false, date });
}

const WITH_REGEX = {
  ...byteLevelFiles().tokenizerJson,
  normalizer: { type: 'Sequence', normalizers: [{ type: 'NFC' }, { type: 'Lowercase' }] },
  pre_tokenizer: {
    type: 'Sequence',
    pretokenizers: [
      { type: 'Digits', individual_digits: true },
      {
        type: 'Split',
        pattern: { Regex: "(?i:'s|'t)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\s+(?!\\S)|\\s+" },
        behavior: 'Isolated',
        invert: false,
      },
      { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
    ],
  },
};

/** Tokenizers and chat templates. */
export const tokenizerReaders: readonly FuzzedReader[] = [
  {
    name: 'tokenizer.json',
    kind: 'json',
    prepare: async (folder) => {
      await writeTokenizer(folder);
      return {
        file: path.join(folder, 'tokenizer.json'),
        seeds: [
          jsonBytes(WITH_REGEX),
          jsonBytes(byteLevelFiles().tokenizerJson),
          jsonBytes(sentencePieceFiles().tokenizerJson),
        ],
        read: () => useTokenizer(folder),
      };
    },
  },
  {
    name: 'tokenizer_config.json',
    kind: 'json',
    prepare: async (folder) => {
      await writeTokenizer(folder);
      const config = {
        add_bos_token: true,
        bos_token: { content: '<|bos|>', lstrip: false, special: true },
        eos_token: '<|im_end|>',
        pad_token: '<|pad|>',
        chat_template: [{ name: 'default', template: CHATML }],
        tokenizer_class: 'PreTrainedTokenizerFast',
      };
      return {
        file: path.join(folder, 'tokenizer_config.json'),
        seeds: [jsonBytes(config), jsonBytes({ ...config, chat_template: CHATML }, 2)],
        read: () => useTokenizer(folder),
      };
    },
  },
  {
    name: 'chat_template.jinja',
    kind: 'bytes',
    prepare: async (folder) => {
      await writeTokenizer(folder);
      const templates = [
        CHATML,
        "{%- if messages[0]['role'] == 'system' %}{% set system = messages[0]['content'] | trim %}{%- endif %}{{ bos_token }}{% for m in messages[1:] %}{% if loop.index0 % 2 == 0 %}{{ '[INST] ' + m.content + ' [/INST]' }}{% elif m.role == 'assistant' %}{{ m['content'] ~ eos_token }}{% else %}{{ raise_exception('no') }}{% endif %}{% endfor %}",
        "{% macro show(x, n=2) %}{{ x | upper }}{% endmacro %}{% for i in range(3) %}{{ show(strftime_now('%d %b %Y')) }}{% endfor %}{{ messages | tojson }}",
      ];
      return {
        file: path.join(folder, 'chat_template.jinja'),
        seeds: templates.map((text) => Buffer.from(text)),
        read: () => useTokenizer(folder),
      };
    },
  },
];
