import { execFileSync } from 'node:child_process';
import { mkdir, readFile, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { openBaseModel } from '../../../engine/models/base-model.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { writeTinyModel } from '../../support/tiny-model-folder.ts';

let folder: string;
let model: string;

beforeEach(async () => {
  folder = await tempFolder();
  model = path.join(folder, 'model');
  await writeTinyModel(model);
});

async function configure(changes: object): Promise<void> {
  const file = path.join(model, 'config.json');
  const config = JSON.parse(await readFile(file, 'utf8')) as object;
  await writeFile(file, JSON.stringify({ ...config, ...changes }));
}

test('layers are counted in the weights before anything loops over them', async () => {
  await configure({ num_hidden_layers: 4000 });
  await expect(openBaseModel(model)).rejects.toMatchObject({
    code: 'model.missing_tensor',
    message: expect.stringContaining('has tensors of 2 layers where its config calls for 4000'),
  });
});

test('code that a model asks for is neither looked for nor run', async () => {
  const marker = path.join(folder, 'ran');
  await writeFile(path.join(model, 'modeling_evil.py'), `open(${JSON.stringify(marker)}, "w")`);
  await configure({
    auto_map: { AutoModelForCausalLM: 'modeling_evil.EvilForCausalLM' },
    custom_pipelines: { 'text-generation': { impl: 'modeling_evil.Pipeline' } },
    trust_remote_code: true,
  });
  expect((await openBaseModel(model)).config.layers).toHaveLength(2);
  await expect(readFile(marker)).rejects.toMatchObject({ code: 'ENOENT' });
});

describe('shards lie in the folder', () => {
  test.each(['../../etc/passwd', '/etc/passwd', '..', 'a/../../b', '.', ''])(
    '%j is not looked at',
    async (shard) => {
      await rm(path.join(model, 'model.safetensors'));
      const index = path.join(model, 'model.safetensors.index.json');
      await writeFile(index, JSON.stringify({ weight_map: { 'model.norm.weight': shard } }));
      await expect(openBaseModel(model)).rejects.toMatchObject({
        code: 'model.corrupt',
        message: expect.stringMatching(/not a plain file name|is in its place/),
      });
    },
  );
});

test('links into the blobs of the Hugging Face cache are followed', async () => {
  const blobs = path.join(folder, 'blobs');
  const snapshot = path.join(folder, 'snapshots/abc');
  await rename(model, blobs);
  await mkdir(snapshot, { recursive: true });
  for (const name of [
    'config.json',
    'tokenizer.json',
    'tokenizer_config.json',
    'model.safetensors',
  ]) {
    await symlink(path.join('../../blobs', name), path.join(snapshot, name));
  }
  expect((await openBaseModel(snapshot)).weights.tensors.size).toBeGreaterThan(0);
});

describe.runIf(process.platform !== 'win32')('what is no file of plausible size', () => {
  const files = [
    ['config.json', 'model.corrupt'],
    ['tokenizer.json', 'model.tokenizer'],
    ['generation_config.json', 'model.tokenizer'],
  ] as const;

  test.each(files)('a named pipe as %s', async (name, code) => {
    const file = path.join(model, name);
    await rm(file, { force: true });
    execFileSync('mkfifo', [file]);
    await expect(openBaseModel(model)).rejects.toMatchObject({
      code,
      message: expect.stringContaining('is in its place'),
    });
  });

  test.each(files)('a device without an end as %s', async (name, code) => {
    const file = path.join(model, name);
    await rm(file, { force: true });
    await symlink('/dev/zero', file);
    await expect(openBaseModel(model)).rejects.toMatchObject({ code });
  });

  test.each(files)('two gigabytes of %s', async (name, code) => {
    const file = path.join(model, name);
    await writeFile(file, '{}');
    await truncate(file, 2 ** 31);
    await expect(openBaseModel(model)).rejects.toMatchObject({ code });
  });

  test('a named pipe as a GGUF file', async () => {
    const file = path.join(folder, 'x.gguf');
    execFileSync('mkfifo', [file]);
    await expect(openBaseModel(file)).rejects.toMatchObject({
      message: expect.stringContaining('is in its place'),
    });
  });
});
