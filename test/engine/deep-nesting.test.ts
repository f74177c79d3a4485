import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { parseDecoderConfig } from '../../engine/architectures/hugging-face-config.ts';
import type { Row } from '../../engine/data/row.ts';
import { readRows } from '../../engine/data/rows.ts';
import { readAdapterConfig } from '../../engine/lora/adapter-config.ts';
import { openWeights, readDecoderConfig } from '../../engine/models/hugging-face-folder.ts';
import { readTokenizerFiles } from '../../engine/tokenizer/tokenizer-files.ts';
import { readRunRecord } from '../../engine/train/run-record.ts';
import { readTrainerState } from '../../engine/train/trainer-state.ts';
import { tempFolder } from '../support/temp-folder.ts';

const DECODER = parseDecoderConfig({ architectures: ['LlamaForCausalLM'] }, 'config.json');

/** Reads the rows of a file, and throws what is wrong with the first bad one. */
async function requireRows(file: string): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for await (const row of readRows([file])) {
    if ('reason' in row) throw Object.assign(new Error(row.reason), { code: row.code });
    rows.push(row);
  }
  return rows;
}

test.each<[string, string, (folder: string, file: string) => Promise<unknown>, string]>([
  ['a model', 'config.json', (folder) => readDecoderConfig(folder), 'model.corrupt'],
  ['shards', 'model.safetensors.index.json', (at) => openWeights(at, DECODER), 'model.corrupt'],
  ['a tokenizer', 'tokenizer.json', (folder) => readTokenizerFiles(folder), 'model.tokenizer'],
  ['an adapter', 'adapter_config.json', (folder) => readAdapterConfig(folder), 'adapter.corrupt'],
  ['a run', 'run.json', (folder) => readRunRecord(folder), 'checkpoint.corrupt'],
  [
    'a checkpoint',
    'trainer_state.json',
    (folder) => readTrainerState(folder),
    'checkpoint.corrupt',
  ],
  ['chat rows', 'rows.jsonl', (_folder, file) => requireRows(file), 'data.corrupt'],
  ['rows in a list', 'rows.json', (_folder, file) => requireRows(file), 'data.corrupt'],
])('%s with a hundred thousand brackets in %s', async (_name, name, read, code) => {
  const folder = path.join(await tempFolder(), 'folder');
  await mkdir(folder);
  const file = path.join(folder, name);
  const deep = `${'['.repeat(100_000)}1${']'.repeat(100_000)}`;
  await writeFile(file, `{"messages": ${deep}, "weight_map": ${deep}, "identity": ${deep}}`);
  await expect(read(folder, file)).rejects.toMatchObject({
    code,
    message: expect.stringContaining('nested more than 128 levels deep') as string,
  });
});
