import { execFileSync } from 'node:child_process';
import { mkdir, symlink, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { findAdapters } from '../../../server/discovery/find-adapters.ts';
import { findModels } from '../../../server/discovery/find-models.ts';
import { findRunFolders } from '../../../server/runs/find-run-folders.ts';
import { RunRegistry } from '../../../server/trainer/run-registry.ts';
import { walk } from '../../../server/walk.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { writeTinyModel } from '../../support/tiny-model-folder.ts';

async function write(folder: string, files: Readonly<Record<string, string | object>>) {
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(folder, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
  }
}

const ADAPTER = {
  peft_type: 'LORA',
  r: 8,
  lora_alpha: 16,
  target_modules: ['q_proj'],
  base_model_name_or_path: 'org/base',
};

test('base models: in the workspace, in other folders, in the Hugging Face cache', async () => {
  const folder = await tempFolder();
  const workspace = path.join(folder, 'workspace');
  const other = path.join(folder, 'models');
  const cache = path.join(folder, 'hub');
  await writeTinyModel(path.join(workspace, 'deep/tiny'));
  await writeTinyModel(path.join(workspace, 'node_modules/hidden'));
  await write(workspace, {
    'a/model.Q4_0.GGUF': 'gguf',
    'a/large-00001-of-00002.gguf': 'one',
    'a/large-00002-of-00002.gguf': 'two',
    'b/config.json': {},
    'c/x.safetensors': '',
  });
  await write(other, { 'unknown/config.json': { model_type: 'rwkv' } });
  await write(other, { 'unknown/model.safetensors': 'xxxx' });
  const snapshot = path.join(cache, 'models--org--name/snapshots/abc');
  await writeTinyModel(path.join(cache, 'models--org--name/blobs'));
  await mkdir(snapshot, { recursive: true });
  for (const file of ['config.json', 'tokenizer.json', 'model.safetensors']) {
    await symlink(path.join('../../blobs', file), path.join(snapshot, file));
  }
  await write(cache, { 'models--org--name/refs/main': 'abc\n', 'models--no--refs/x': '' });

  const found = await findModels({
    workspaceFolders: [workspace],
    settingsFolders: [other, workspace, path.join(folder, 'missing')],
    cacheFolder: cache,
  });
  const bytes = expect.any(Number) as number;
  const contextLength = expect.any(Number) as number;
  expect(found.toSorted((a, b) => a.path.localeCompare(b.path))).toEqual([
    {
      path: snapshot,
      name: 'org/name',
      origin: 'huggingface',
      bytes,
      contextLength,
      problem: null,
    },
    {
      path: path.join(other, 'unknown'),
      name: 'unknown',
      origin: 'settings',
      bytes: 4,
      contextLength: null,
      problem: expect.stringContaining('rwkv') as string,
    },
    {
      path: path.join(workspace, 'a/large-00001-of-00002.gguf'),
      name: 'large-00001-of-00002.gguf',
      origin: 'workspace',
      bytes: 6,
      contextLength: null,
      problem: null,
    },
    {
      path: path.join(workspace, 'a/model.Q4_0.GGUF'),
      name: 'model.Q4_0.GGUF',
      origin: 'workspace',
      bytes: 4,
      contextLength: null,
      problem: null,
    },
    {
      path: path.join(workspace, 'deep/tiny'),
      name: 'tiny',
      origin: 'workspace',
      bytes,
      contextLength,
      problem: null,
    },
  ]);
  expect(found.find(({ origin }) => origin === 'huggingface')!.bytes).toBeGreaterThan(10_000);
});

test.runIf(process.platform !== 'win32')(
  'one bad folder never spoils the list, nor takes long',
  { timeout: 10_000 },
  async () => {
    const workspace = await tempFolder();
    await writeTinyModel(path.join(workspace, 'good'));
    const bad = ['layers', 'layers-8', 'huge', 'pipe', 'device', 'deep', 'not-json'];
    for (const name of bad) await write(workspace, { [`${name}/model.safetensors`]: '' });
    const config = { architectures: ['LlamaForCausalLM'] };
    const file = (name: string): string => path.join(workspace, name, 'config.json');
    await write(workspace, { 'layers/config.json': { ...config, num_hidden_layers: 1e9 } });
    await write(workspace, { 'layers-8/config.json': { ...config, num_hidden_layers: 1e8 } });
    await write(workspace, { 'huge/config.json': config, 'folder/model.safetensors': '' });
    await write(workspace, { 'folder/config.json/x': '' });
    await truncate(file('huge'), 2 ** 31 + 1);
    execFileSync('mkfifo', [file('pipe')]);
    await symlink('/dev/zero', file('device'));
    await write(workspace, {
      'deep/config.json': `{"a":${'['.repeat(1e6)}${']'.repeat(1e6)}}`,
      'not-json/config.json': '{',
    });

    const found = await findModels({
      workspaceFolders: [workspace],
      settingsFolders: [],
      cacheFolder: path.join(workspace, 'hub'),
    });
    const problems = new Map(found.map(({ name, problem }) => [name, problem]));
    expect(problems.get('good')).toBeNull();
    expect([...problems.keys()].toSorted()).toEqual(['good', ...bad].toSorted());
    expect(problems.get('layers')).toContain('"num_hidden_layers" is wrong');
    expect(problems.get('layers-8')).toContain('"num_hidden_layers" is wrong');
    expect(problems.get('pipe')).toContain('is in its place');
    for (const name of bad) expect(problems.get(name), name).toEqual(expect.any(String));
  },
);

test('links between folders are not gone round in, and names are bounded', async () => {
  const folder = await tempFolder();
  await write(folder, { 'a/b/x.txt': '', 'a/y.txt': '', 'a/other': '', 'c/z.txt': '' });
  await symlink(folder, path.join(folder, 'a/b/up'));
  await symlink(path.join(folder, 'a'), path.join(folder, 'a/again'));
  const files = async (maxEntries?: number): Promise<string[]> => {
    const found: string[] = [];
    const isWanted = (name: string): boolean => name.endsWith('.txt');
    const bound = maxEntries === undefined ? {} : { maxEntries };
    for await (const each of walk(folder, { depth: 9, isWanted, ...bound })) {
      found.push(...each.files.map((name) => path.relative(folder, path.join(each.folder, name))));
    }
    return found;
  };
  expect(await files()).toEqual(['a/y.txt', 'c/z.txt', 'a/b/x.txt']);
  // Two folders, the four names in the first of them and one in the second.
  expect(await files(7)).toEqual(['a/y.txt', 'c/z.txt']);
});

test('adapters, and the runs that they are checkpoints of', async () => {
  const folder = await tempFolder();
  const files = (name: string) => ({
    [`${name}/adapter_config.json`]: ADAPTER,
    [`${name}/adapter_model.safetensors`]: '',
  });
  await write(folder, { ...files('mine'), ...files('run/checkpoint-5'), 'run/run.json': {} });
  await write(folder, { ...files('loose/checkpoint-5'), 'broken/adapter_config.json': '{' });
  await write(folder, { 'broken/adapter_model.safetensors': '' });
  const found = await findAdapters([folder]);
  const shown = found.map(({ name, baseModel, rank, checkpointOf }) => [
    name,
    baseModel,
    rank,
    checkpointOf,
  ]);
  expect(shown.toSorted()).toEqual([
    ['checkpoint-5', 'org/base', 8, null],
    ['mine', 'org/base', 8, null],
    ['run/checkpoint-5', 'org/base', 8, path.join(folder, 'run')],
  ]);
});

test('the base of an adapter has the name that people know it by', async () => {
  const folder = await tempFolder();
  const commit = '0123456789abcdef0123456789abcdef01234567';
  const bases = {
    hub: 'org/base',
    cached: `/home/me/.cache/huggingface/hub/models--org--name/snapshots/${commit}`,
    own: 'C:\\models\\mine\\',
    file: '/models/tiny.Q4_0.gguf',
  };
  for (const [name, base] of Object.entries(bases)) {
    await write(folder, {
      [`${name}/adapter_config.json`]: { ...ADAPTER, base_model_name_or_path: base },
      [`${name}/adapter_model.safetensors`]: '',
    });
  }
  const found = await findAdapters([folder]);
  expect(Object.fromEntries(found.map(({ name, baseName }) => [name, baseName]))).toEqual({
    hub: 'org/base',
    cached: 'org/name',
    own: 'mine',
    file: 'tiny.Q4_0.gguf',
  });
});

test('an adapter of a quantized run says so, and so do its checkpoints', async () => {
  const folder = await tempFolder();
  for (const name of ['run', 'run/checkpoint-5', 'copied']) {
    await write(folder, {
      [`${name}/adapter_config.json`]: ADAPTER,
      [`${name}/adapter_model.safetensors`]: '',
    });
  }
  const config = {
    model: { base_model_name_or_path: '/base', quantization: 'nf4', use_double_quant: true },
    data: { dataset_name_or_path: '/rows.jsonl' },
    training: { output_dir: path.join(folder, 'run') },
  };
  await write(folder, { 'run/run.json': { version: 1, config } });
  const found = await findAdapters([folder]);
  const shown = found.map(({ name, quantization }) => [name, quantization]);
  expect(new Map(shown as [string, unknown][])).toEqual(
    new Map<string, unknown>([
      ['run', { doubleQuant: true }],
      ['run/checkpoint-5', { doubleQuant: true }],
      ['copied', null],
    ]),
  );
});

test('run folders: registered ones of the workspace, those of its configurations, those copied into it', async () => {
  const folder = await tempFolder();
  const workspace = path.join(folder, 'workspace');
  const config = {
    model: { base_model_name_or_path: './model' },
    data: { dataset_name_or_path: './rows.jsonl' },
    training: { output_dir: '../elsewhere/run' },
  };
  await write(workspace, { 'deep/a.lorafa.json': config, 'broken.lorafa.json': '{"model":' });
  const registry = new RunRegistry(path.join(folder, 'registry'));
  expect(await registry.list()).toEqual([]);
  const inside = path.join(workspace, 'run');
  await registry.add({ folder: inside, configFile: null });
  await registry.add({ folder: inside, configFile: path.join(workspace, 'b.lorafa.json') });
  await registry.add({ folder: '/outside/1', configFile: path.join(workspace, 'b.lorafa.json') });
  await registry.add({ folder: '/outside/2', configFile: '/outside/c.lorafa.json' });
  await registry.add({ folder: `${workspace}-2/run`, configFile: null });
  await write(workspace, { 'old/copied/run.json': '{}', 'old/copied/events.jsonl': '' });
  await write(workspace, { 'other-program/run.json': '{}', 'log/events.jsonl': '' });
  await write(path.join(folder, 'registry'), { 'damaged.json': '{', 'other.txt': '' });
  expect((await registry.list()).length).toBe(4);
  expect((await findRunFolders([workspace], registry)).toSorted()).toEqual([
    '/outside/1',
    path.join(workspace, 'elsewhere/run'),
    path.join(workspace, 'old/copied'),
    inside,
  ]);
});
