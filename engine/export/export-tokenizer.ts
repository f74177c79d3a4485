import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { copyFile } from '../files/create-file.ts';
import { saveTokenizerFiles } from '../tokenizer/save-tokenizer.ts';
import type { ExportSource } from './export-source.ts';

/**
 * What lies in published folders beside the files that this project reads: some programs make their
 * tokenizer of these.
 */
const OTHER_TOKENIZER_FILES = [
  'added_tokens.json',
  'merges.txt',
  'special_tokens_map.json',
  'tokenizer.model',
  'vocab.json',
];

/** Writes the tokenizer of a model into its folder, and what of the base's folder belongs to it. */
export async function writeTokenizer(
  folder: string,
  { base, tokenizer }: Pick<ExportSource, 'base' | 'tokenizer'>,
): Promise<void> {
  await saveTokenizerFiles(folder, tokenizer);
  // None in a GGUF file.
  const present: string[] = await readdir(base.path).catch(() => []);
  for (const name of OTHER_TOKENIZER_FILES.filter((each) => present.includes(each))) {
    await copyFile(path.join(base.path, name), path.join(folder, name), 'model.tokenizer');
  }
}
