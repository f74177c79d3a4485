import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { copyFile } from '../files/create-file.ts';
import type { BaseModel } from '../models/base-model.ts';
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

/** How images become what a model reads, which transformers loads together with the tokenizer. */
const PROCESSOR_FILES = ['preprocessor_config.json', 'processor_config.json'];

/** Writes the tokenizer of a model into its folder, and what of the base's folder belongs to it. */
export async function writeTokenizer(
  folder: string,
  { base, tokenizer }: Pick<ExportSource, 'base' | 'tokenizer'>,
): Promise<void> {
  await saveTokenizerFiles(folder, tokenizer);
  await copyPresent(base.path, folder, OTHER_TOKENIZER_FILES);
}

/** Copies into the folder of a model that reads images what prepares them, as it lies beside the base. */
export function copyProcessor(folder: string, base: Pick<BaseModel, 'path'>): Promise<void> {
  return copyPresent(base.path, folder, PROCESSOR_FILES);
}

/** Copies those files that are there. */
async function copyPresent(from: string, to: string, names: readonly string[]): Promise<void> {
  // None in a GGUF file.
  const present: string[] = await readdir(from).catch(() => []);
  for (const name of names.filter((each) => present.includes(each))) {
    await copyFile(path.join(from, name), path.join(to, name), 'model.tokenizer');
  }
}
