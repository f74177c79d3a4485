import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { loadTokenizer } from '../../../engine/tokenizer/tokenizer.ts';
import { readTokenizerFiles } from '../../../engine/tokenizer/tokenizer-files.ts';
import { NO_IDS } from './tiny-tokenizer.ts';

/*
 * Tokenizers of real models, by the package tokenizers and here. With LORAFA_REFERENCE_PYTHON, a Python that has
 * test/reference/requirements.txt, and LORAFA_TOKENIZERS, folders with a tokenizer.json each (see test/reference).
 */

const python = process.env['LORAFA_REFERENCE_PYTHON'];
const folders = (process.env['LORAFA_TOKENIZERS'] ?? '').split(path.delimiter).filter(Boolean);
const script = path.join(import.meta.dirname, '../../reference/encode_texts.py');

interface Encoded {
  readonly texts: readonly string[];
  readonly folders: Readonly<
    Record<string, { readonly ids: readonly number[][]; readonly decoded: readonly string[] }>
  >;
}

test.skipIf(python === undefined || folders.length === 0)(
  'published tokenizers give the ids that they give in Python',
  { timeout: 300_000 },
  async () => {
    const options = { maxBuffer: 2 ** 28 };
    const { stdout } = await promisify(execFile)(python!, [script, ...folders], options);
    const { texts, folders: expected } = JSON.parse(stdout) as Encoded;
    for (const folder of folders) {
      const tokenizer = loadTokenizer(await readTokenizerFiles(folder), NO_IDS);
      const ids = texts.map((text) => tokenizer.encode(text, { addSpecialTokens: false }));
      const decoded = ids.map((each) => tokenizer.decode(each, { skipSpecialTokens: false }));
      expect({ ids, decoded }, folder).toEqual(expected[folder]);
    }
  },
);
