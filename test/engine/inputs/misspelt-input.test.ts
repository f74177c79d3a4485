import { mkdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { nearestPath, respelt } from '../../../engine/config/nearest-path.ts';
import { fetchInput } from '../../../engine/inputs/hub-inputs.ts';
import { nearestInput, refuseMisspelt } from '../../../engine/inputs/misspelt-input.ts';
import { tempFolder } from '../../support/temp-folder.ts';

let folder: string;

beforeEach(async () => {
  folder = await tempFolder();
});

test('what is named is what an input of its kind can be', async () => {
  await writeFile(path.join(folder, 'rows.jsonl'), '');
  await writeFile(path.join(folder, 'rows.md'), '');
  await writeFile(path.join(folder, 'tiny.gguf'), '');
  await mkdir(path.join(folder, 'adapter'));
  const near = async (name: string, use: 'model' | 'adapter' | 'training') =>
    (await nearestInput(path.join(folder, name), use))?.right;
  expect(await near('row.jsonl', 'training')).toBe('rows.jsonl');
  expect(await near('row.md', 'training')).toBeUndefined();
  expect(await near('row.jsonl', 'model')).toBeUndefined();
  expect(await near('Tiny.guf', 'model')).toBe('tiny.gguf');
  expect(await near('tiny.guf', 'adapter')).toBeUndefined();
  expect(await near('adapter-1', 'adapter')).toBe('adapter');
  // What is there is not misspelt, and a folder that leads nowhere further is no help.
  expect(await near('rows.jsonl', 'training')).toBeUndefined();
  expect(await near('adaptr/rows.jsonl', 'training')).toBeUndefined();
});

test('a link to a model counts as the folder that it is', async () => {
  await mkdir(path.join(folder, 'far'));
  await symlink(path.join(folder, 'far'), path.join(folder, 'smollm'), 'junction');
  expect(await nearestInput(path.join(folder, 'smolm'), 'model')).toMatchObject({
    path: path.join(folder, 'smollm'),
  });
});

test('a command is refused with the name, and so is a slice', async () => {
  await mkdir(path.join(folder, 'model'));
  await writeFile(path.join(folder, 'rows.jsonl'), '');
  await expect(fetchInput(path.join(folder, 'modle'), 'model')).rejects.toMatchObject({
    code: 'model.not_found',
    message: `There is no model at ${path.join(folder, 'modle')}; did you mean ${path.join(folder, 'model')}?`,
  });
  await expect(refuseMisspelt(`${folder}/rwos.jsonl[:5]`, 'evaluation')).rejects.toMatchObject({
    code: 'data.not_found',
  });
});

test('a path is put right as it was written', async () => {
  await mkdir(path.join(folder, 'data'));
  await writeFile(path.join(folder, 'data', 'rows.jsonl'), '');
  const near = await nearestPath(path.join(folder, 'dtaa', 'rows.jsonl'), () => true);
  expect(respelt('./dtaa/rows.jsonl', near!)).toBe('./data/rows.jsonl');
  expect(respelt('..\\x\\dtaa\\rows.jsonl', near!)).toBe('..\\x\\data\\rows.jsonl');
  expect(respelt('~/other/rows.jsonl', near!)).toBe('~/other/rows.jsonl');
});
