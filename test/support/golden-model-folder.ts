import { copyFile, mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { BYTE_LEVEL_ALPHABET } from '../../engine/tokenizer/byte-level.ts';
import { byteLevelFiles } from '../engine/tokenizer/tiny-tokenizer.ts';
import { goldenJson, goldenPath } from './golden.ts';

interface Sizes {
  readonly vocab_size: number;
  readonly eos_token_id: number;
}

/**
 * A copy of a model of `golden/models` with a tokenizer, so that it can be opened: as many characters of
 * byte-level BPE as it knows tokens, and an end.
 */
export async function goldenModelFolder(name: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const source = goldenPath('models', name);
  for (const file of await readdir(source)) {
    if (file !== 'golden.safetensors') {
      await copyFile(path.join(source, file), path.join(folder, file));
    }
  }
  const whole = goldenJson<Sizes & { text_config?: Sizes }>('models', name, 'config.json');
  const config = whole.text_config ?? whole;
  const { tokenizerJson } = byteLevelFiles();
  const texts = BYTE_LEVEL_ALPHABET.slice(0, config.vocab_size);
  const end = { id: config.eos_token_id, content: '<|end|>', special: true, normalized: false };
  const vocab = Object.fromEntries(
    texts.flatMap((text, id) => (id === end.id ? [] : [[text, id]])),
  );
  const json = (file: string, content: object): Promise<void> =>
    writeFile(path.join(folder, file), JSON.stringify(content));
  await json('tokenizer.json', {
    ...tokenizerJson,
    added_tokens: [end],
    model: { type: 'BPE', vocab, merges: [] },
  });
  await json('tokenizer_config.json', { eos_token: '<|end|>' });
}
