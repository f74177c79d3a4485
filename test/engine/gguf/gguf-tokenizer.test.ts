import { readFileSync } from 'node:fs';
import { Tokenizer } from '@huggingface/tokenizers';
import { describe, expect, test } from 'vitest';
import { openGguf } from '../../../engine/gguf/gguf.ts';
import { ggufTokenizer } from '../../../engine/gguf/gguf-tokenizer.ts';
import { goldenPath } from '../../support/golden.ts';

async function load(name: string) {
  const files = ggufTokenizer(await openGguf(goldenPath('gguf', `tokenizer-${name}.gguf`)));
  return {
    files,
    tokenizer: new Tokenizer({ ...files.tokenizerJson }, { ...files.tokenizerConfig }),
  };
}

const NAMES = [
  'gpt-2',
  'smollm',
  'llama-bpe',
  'qwen2',
  'command-r',
  'dbrx',
  'gpt-4o',
  'tekken',
  'llama',
];
const NORMALIZED = ['qwen2', 'command-r'];

describe.each(NAMES)('%s', (name) => {
  test('encodes as the tokenizer that the file was made from, and decodes back', async () => {
    const { tokenizer } = await load(name);
    const cases = JSON.parse(
      readFileSync(goldenPath('gguf', `tokenizer-${name}.json`), 'utf8'),
    ) as { text: string; ids: number[] }[];
    for (const { text, ids } of cases) {
      expect({ text, ids: tokenizer.encode(text).ids }).toEqual({ text, ids });
      // Qwen and Command R compose characters; Llama 2 puts a space before what follows a special token.
      const expected = NORMALIZED.includes(name) ? text.normalize('NFC') : text;
      if (text === '' || (name === 'llama' && text.includes('<|'))) continue;
      expect(tokenizer.decode(ids)).toBe(expected);
    }
  });

  test('names its special tokens and keeps the chat template', async () => {
    const { files } = await load(name);
    expect(files.chatTemplate).toBe("{{ messages[0]['content'] }}");
    expect(files.tokenizerConfig).toMatchObject({ bos_token: '<|begin|>', eos_token: '<|end|>' });
    expect(files.tokenizerJson['post_processor']).toBeNull();
  });
});
