import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { JsonObject } from '../../engine/json-file.ts';
import { writeTinyModel } from './tiny-model-folder.ts';

/** What {@link BACKTRACKING} takes until the end of the universe for. */
export const ENDLESS_TEXT = `${'a'.repeat(60)}b`;

/** A pre-tokenizer with an expression that backtracks. */
export const BACKTRACKING: JsonObject = {
  type: 'Sequence',
  pretokenizers: [
    { type: 'Split', pattern: { Regex: '(a+)+$' }, behavior: 'Isolated', invert: false },
    { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
  ],
};

/** A chat template that never ends, and makes nothing meanwhile. */
export const ENDLESS_TEMPLATE =
  '{% set r = range(99999) %}{% for a in r %}{% for b in r %}{% endfor %}{% endfor %}';

/** Writes the tiny model with other values for some keys of some of its files. */
export async function writeHostileModel(
  folder: string,
  files: Readonly<Record<string, JsonObject>>,
): Promise<void> {
  await writeTinyModel(folder);
  for (const [name, changes] of Object.entries(files)) {
    const file = path.join(folder, name);
    const content = JSON.parse(await readFile(file, 'utf8')) as object;
    await writeFile(file, JSON.stringify({ ...content, ...changes }));
  }
}
