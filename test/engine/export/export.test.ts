import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { checkTensors } from '../../../engine/export/check-export.ts';
import {
  type ExportRequest,
  exportResult,
  type OnExportProgress,
} from '../../../engine/export/export.ts';
import { exportSizes } from '../../../engine/export/export-sizes.ts';
import { madeTensor } from '../../../engine/export/model-tensor.ts';
import { writeSafetensors } from '../../../engine/formats/safetensors-writer.ts';
import { openGenerator } from '../../../engine/generate/generator.ts';
import { openGguf } from '../../../engine/gguf/gguf.ts';
import { type LoadedAdapter, loadAdapter } from '../../../engine/lora/load-adapter.ts';
import { type BaseModel, openBaseModel } from '../../../engine/models/base-model.ts';
import { loadTokenizer } from '../../../engine/tokenizer/tokenizer.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { run, TinyRuns } from '../train/tiny-run.ts';

let top: string;
let tiny: TinyRuns;
/** A run on a base in NF4, with a checkpoint and a chat template of its own. */
let adapter: string;
/** A model that was trained whole. */
let whole: string;

beforeAll(async () => {
  top = await mkdtemp(path.join(tmpdir(), 'lorafa-test-'));
  vi.stubEnv('LORAFA_CACHE_DIR', path.join(top, 'cache'));
  tiny = await TinyRuns.create(top);
  [adapter, whole] = [path.join(top, 'nf4-run'), path.join(top, 'whole-run')];
  const template = await tiny.file(
    'own.jinja',
    '{% for m in messages %}{{ m.content }}|{% endfor %}',
  );
  const model = { quantization: 'nf4' } as const;
  const training = { learning_rate: 0.3, save_steps: 1, max_steps: 3 };
  await run(
    tiny.config({
      model,
      data: { chat_template: template },
      training: { ...training, output_dir: adapter },
    }),
  );
  await run(
    tiny.config({
      training: { ...training, learning_rate: 1e-3, method: 'full', output_dir: whole },
    }),
  );
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(top, { recursive: true, force: true });
});

/** Exports into a folder of its own. */
async function exported(request: Omit<ExportRequest, 'output'>, name = 'out') {
  const output = path.join(await tempFolder(), name);
  return { ...(await exportResult({ ...request, output })), folder: path.dirname(output) };
}

async function answer(model: BaseModel, with_: LoadedAdapter | null = null): Promise<number[]> {
  const tokenizer = loadTokenizer(model.tokenizer, model.config);
  const generator = await openGenerator(model, tokenizer, { threads: 1, adapter: with_ });
  const { tokenIds } = await generator.complete(
    { text: '2+2?' },
    { max_new_tokens: 12 },
    { adapter: with_ },
  );
  await generator.release();
  return [...tokenIds];
}

describe('what was trained is what is exported', () => {
  test('on a base in NF4, with the chat template of the run: the same tokens', async () => {
    const cacheFolder = path.join(top, 'cache');
    const quantization = { kind: 'nf4', doubleQuant: false } as const;
    const base = await openBaseModel(tiny.model, { quantization, cacheFolder });
    const expected = await answer(base, await loadAdapter(adapter, base.config));
    expect(expected).not.toEqual(await answer(base));

    const { output } = await exported({ folder: adapter, format: 'merged' });
    const merged = await openBaseModel(output);
    expect(await answer(merged)).toEqual(expected);
    expect(merged.tokenizer.chatTemplate).toContain('|');
    // Programs that look there first find no other one.
    expect(merged.tokenizer.tokenizerConfig).not.toHaveProperty('chat_template');

    const gguf = await exported({ folder: adapter, format: 'gguf', dtype: 'f32' }, 'out.gguf');
    expect(await answer(await openBaseModel(gguf.output, { cacheFolder }))).toEqual(expected);
  });

  test('of a model that was trained whole', async () => {
    const expected = await answer(await openBaseModel(whole));
    const { output, modules } = await exported({ folder: whole, format: 'merged' });
    expect(modules).toBe(0);
    expect(await answer(await openBaseModel(output))).toEqual(expected);
  });

  test('of a checkpoint, as it was written', async () => {
    const checkpoint = path.join(adapter, 'checkpoint-2');
    const { output } = await exported({ folder: checkpoint, format: 'gguf-adapter' }, 'two.gguf');
    expect((await openGguf(output)).metadata.get('general.name')).toBe('nf4-run-checkpoint-2');
    const copy = path.join(await tempFolder(), 'run');
    await cp(adapter, copy, { recursive: true });
    const damaged = path.join(copy, 'checkpoint-2');
    await writeFile(path.join(damaged, 'adapter_model.safetensors'), 'x');
    for (const format of ['peft', 'merged'] as const) {
      await expect(
        exportResult({ folder: damaged, format, output: path.join(copy, 'out') }),
      ).rejects.toMatchObject({ code: 'checkpoint.corrupt' });
    }
  });

  test('when all was moved: the base is looked for where it would lie from the run', async () => {
    const folder = await tempFolder();
    await cp(tiny.model, path.join(folder, 'model'), { recursive: true });
    await cp(adapter, path.join(folder, 'nf4-run'), { recursive: true });
    const hidden = `${tiny.model}-hidden`;
    await rename(tiny.model, hidden);
    try {
      const moved = path.join(folder, 'nf4-run');
      const output = path.join(folder, 'out');
      const { modules } = await exportResult({ folder: moved, format: 'merged', output });
      expect(modules).toBe(4);
    } finally {
      await rename(hidden, tiny.model);
    }
  });
});

test('an adapter is copied without what only training needs, and needs no base', async () => {
  const checkpoint = path.join(top, 'stray', 'checkpoint-3');
  await cp(path.join(adapter, 'checkpoint-3'), checkpoint, { recursive: true });
  await writeFile(path.join(checkpoint, 'README.md'), '# Mine');
  const { output, tensors, notes } = await exported({
    folder: checkpoint,
    format: 'peft',
  });
  // Whoever is given the folder reads that too.
  expect(notes).toEqual([
    expect.stringContaining(`names the base model by its place, "${tiny.model}"; write its name`),
  ]);
  expect(readdirSync(output).toSorted()).toEqual([
    'README.md',
    'adapter_config.json',
    'adapter_model.safetensors',
    'chat_template.jinja',
  ]);
  expect(tensors).toBe(8);
});

describe('what lies beside an adapter and cannot be read is told, and keeps nobody waiting', () => {
  test.each(['pipe', 'folder', 'dangling link'])('a %s', async (kind) => {
    const folder = await tempFolder();
    const damaged = path.join(folder, 'mine');
    await cp(path.join(adapter, 'checkpoint-3'), damaged, { recursive: true });
    const file = path.join(damaged, 'README.md');
    if (kind === 'pipe') execFileSync('mkfifo', [file]);
    else if (kind === 'folder') await mkdir(file);
    else await symlink('/nowhere/README.md', file);
    await expect(
      exportResult({ folder: damaged, format: 'peft', output: path.join(folder, 'out') }),
    ).rejects.toMatchObject({
      code: 'adapter.corrupt',
      message: expect.stringMatching(/mine\/README\.md cannot be read \(.*\); put a file/),
    });
    expect(readdirSync(folder)).toEqual(['mine']);
  });
});

test('a copy of an adapter that is no whole one is refused, and has no size', async () => {
  const folder = await tempFolder();
  const damaged = path.join(folder, 'mine');
  await cp(path.join(adapter, 'checkpoint-3'), damaged, { recursive: true });
  await writeSafetensors(path.join(damaged, 'adapter_model.safetensors'), []);
  const output = path.join(folder, 'out');
  await expect(exportResult({ folder: damaged, format: 'peft', output })).rejects.toMatchObject({
    code: 'adapter.corrupt',
  });
  const sizes = await exportSizes(damaged, { base: tiny.model });
  expect(sizes.find(({ format }) => format === 'peft')?.problem).toContain('holds no tensors');
  expect(readdirSync(folder)).toEqual(['mine']);
});

test('a large model has shards, of which an index tells', async () => {
  const request = { folder: adapter, format: 'merged', maxShardBytes: 40_000 } as const;
  const { output } = await exported(request);
  const names = readdirSync(output).filter((name) => name.endsWith('.safetensors'));
  expect(names.length).toBeGreaterThan(2);
  expect(names[0]).toBe(`model-00001-of-0000${names.length}.safetensors`);
  const index = JSON.parse(readFileSync(path.join(output, 'model.safetensors.index.json'), 'utf8'));
  const whole = await openBaseModel((await exported({ folder: adapter, format: 'merged' })).output);
  const read = await openBaseModel(output);
  expect(Object.keys(index.weight_map).toSorted()).toEqual(
    [...read.weights.tensors.keys()].toSorted(),
  );
  const bytes = [...whole.weights.tensors.values()].reduce((sum, { length }) => sum + length, 0);
  expect(index.metadata).toEqual({ total_size: bytes });
  expect(await answer(read)).toEqual(await answer(whole));
});

test('of a base that is a GGUF file, the metadata are taken over', async () => {
  const base = (await exported({ folder: whole, format: 'gguf', dtype: 'q8_0' }, 'base.gguf'))
    .output;
  const trained = path.join(top, 'gguf-run');
  const model = { base_model_name_or_path: base };
  await run(tiny.config({ model, training: { output_dir: trained, learning_rate: 0.1 } }));
  const { output, dtype } = await exported({ folder: trained, format: 'gguf' }, 'out.gguf');
  expect(dtype).toBe('f16');
  const [before, after] = [await openGguf(base), await openGguf(output)];
  expect(Object.fromEntries(after.metadata)).toEqual({
    ...Object.fromEntries(before.metadata),
    'general.file_type': 1,
  });
  expect([...after.tensors.keys()]).toEqual([...before.tensors.keys()]);
});

describe('nothing half written is left', () => {
  test.each([
    ['merged', 'writing'],
    ['merged', 'checking'],
    ['onnx', 'checking'],
  ] as const)('by who cancels %s while it is %s', async (format, task) => {
    const folder = await tempFolder();
    const abort = new AbortController();
    const output = path.join(folder, 'out');
    const onProgress: OnExportProgress = ({ task: now, done, total }) => {
      expect(done).toBeLessThanOrEqual(total);
      if (now === task) abort.abort();
    };
    await expect(
      exportResult({ folder: adapter, format, output }, { onProgress, signal: abort.signal }),
    ).rejects.toMatchObject({ code: 'export.cancelled' });
    expect(readdirSync(folder)).toEqual([]);
  });

  test('where the place is gone meanwhile, which is told by its own name', async () => {
    const folder = await tempFolder();
    const output = path.join(folder, 'out');
    const vanish = (): void => {
      for (const name of readdirSync(folder)) rmSync(path.join(folder, name), { recursive: true });
    };
    await expect(
      exportResult({ folder: adapter, format: 'merged', output }, { onProgress: vanish }),
    ).rejects.toMatchObject({
      code: 'output.not_writable',
      message: `Cannot write to ${output}/model.safetensors: the folder does not exist; create it or choose another output folder.`,
    });
    expect(readdirSync(folder)).toEqual([]);
  });

  test('of what is there already nothing is touched', async () => {
    const folder = await tempFolder();
    const output = path.join(folder, 'out');
    await mkdir(output);
    await expect(exportResult({ folder: adapter, format: 'merged', output })).rejects.toMatchObject(
      {
        code: 'output.not_writable',
        message: expect.stringContaining(`${output} is there already`),
      },
    );
    expect(readdirSync(folder)).toEqual(['out']);
    expect(readdirSync(output)).toEqual([]);
  });
});

test('where two export to one place, the slower one is told that it is taken', async () => {
  const folder = await tempFolder();
  const output = path.join(folder, 'out');
  const onProgress: OnExportProgress = ({ task }) => {
    if (task === 'checking') mkdirSync(output, { recursive: true });
  };
  await expect(
    exportResult({ folder: adapter, format: 'merged', output }, { onProgress }),
  ).rejects.toMatchObject({
    code: 'output.not_writable',
    message: expect.stringContaining(`${output} is there already`),
  });
  expect(readdirSync(folder)).toEqual(['out']);
});

test('folders that were made for an export that failed go with it', async () => {
  const folder = await tempFolder();
  const output = path.join(folder, 'a', 'b', 'out');
  const abort = new AbortController();
  abort.abort();
  await expect(
    exportResult({ folder: adapter, format: 'merged', output }, { signal: abort.signal }),
  ).rejects.toMatchObject({ code: 'export.cancelled' });
  expect(readdirSync(folder)).toEqual([]);
});

test.each([
  ['peft', { dtype: 'f32' }, 'copies weights in the type that they have; leave --dtype f32 out'],
  ['peft', { base: '/nope' }, 'leave --base out'],
  ['gguf', { unmerged: true }, 'knows no --no-merge, which is for ollama'],
] as const)(
  'an option that the format %s has no use for is refused: %j',
  async (format, options, told) => {
    const output = path.join(await tempFolder(), 'out');
    await expect(
      exportResult({ folder: adapter, format, output, ...options }),
    ).rejects.toMatchObject({ code: 'usage.invalid', message: expect.stringContaining(told) });
  },
);

test('a whole model has no base', async () => {
  const output = path.join(await tempFolder(), 'out');
  await expect(
    exportResult({ folder: whole, format: 'merged', output, base: tiny.model }),
  ).rejects.toMatchObject({
    code: 'usage.invalid',
    message: expect.stringContaining('leave --base out'),
  });
});

test('a value that was read and not meant is found', async () => {
  const tensor = (data: number[], shape = [2, 2]) =>
    madeTensor({ name: 'w', dtype: 'F32', shape, data: Float32Array.from(data) });
  const compare = (read: ReturnType<typeof tensor>[]) =>
    checkTensors('file', [tensor([1, 2, 3, Number.NaN])], read, () => undefined);
  await compare([tensor([1, 2, 3, Number.NaN])]);
  await expect(compare([tensor([1, 2, 3.0000002, Number.NaN])])).rejects.toMatchObject({
    code: 'export.wrong_values',
    message: expect.stringContaining('tensor "w" holds 3.000000238418579 where 3 was meant'),
  });
  await expect(compare([tensor([1, 2, 3, 4], [4])])).rejects.toThrow('has the shape [4]');
  await expect(compare([])).rejects.toThrow('holds 0 tensors where 1 were written');
});

test('a folder of neither kind, and a type that a format does not know, are told', async () => {
  const folder = await tempFolder();
  const output = path.join(folder, 'out');
  await expect(exportResult({ folder, format: 'gguf', output })).rejects.toMatchObject({
    code: 'adapter.not_found',
    message: expect.stringContaining('neither adapter_config.json nor config.json'),
  });
  await expect(
    exportResult({ folder: adapter, format: 'merged', output, dtype: 'q8_0' }),
  ).rejects.toMatchObject({ code: 'usage.invalid' });
});
