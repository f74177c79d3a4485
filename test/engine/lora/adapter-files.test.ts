import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { DecoderConfig } from '../../../engine/architectures/decoder-config.ts';
import { LorafaError } from '../../../engine/errors.ts';
import { openExportSource } from '../../../engine/export/export-source.ts';
import { openSafetensors } from '../../../engine/formats/safetensors.ts';
import {
  type TensorToWrite,
  writeSafetensors,
} from '../../../engine/formats/safetensors-writer.ts';
import { type Adapter, adapterTensors } from '../../../engine/lora/adapter.ts';
import { readAdapterConfig } from '../../../engine/lora/adapter-config.ts';
import { loadAdapter, requireWholeAdapter } from '../../../engine/lora/load-adapter.ts';
import { loraAName, loraBName } from '../../../engine/lora/lora-module.ts';
import { saveAdapter } from '../../../engine/lora/save-adapter.ts';
import { readDecoderConfig } from '../../../engine/models/hugging-face-folder.ts';
import { decoderConfig } from '../../support/decoder-config.ts';
import { goldenJson, goldenPath } from '../../support/golden.ts';

const CASES = [
  'lorafa-all-linear',
  'lorafa-rslora',
  'lorafa-patterns',
  'lorafa-accumulation-clipping',
  'lorafa-qv-bf16',
  'lorafa-selected-layers',
  'lora-linear',
  'lora-accumulation-min-lr',
  'family-gpt2',
];
const WEIGHTS = 'adapter_model.safetensors';
const CONFIG = 'adapter_config.json';
const QUERY = 'model.layers.0.self_attn.q_proj';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'lorafa-adapter-'));
});
afterEach(async () => {
  await chmod(folder, 0o700);
  await rm(folder, { recursive: true });
});

async function golden(name: string): Promise<{ adapter: string; decoder: DecoderConfig }> {
  const { model } = goldenJson<{ model: string }>('training', name, 'case.json');
  const { config } = await readDecoderConfig(goldenPath('models', model));
  return { adapter: goldenPath('training', name, 'adapter_init'), decoder: config };
}

async function failure(action: Promise<unknown>): Promise<LorafaError> {
  const error = await action.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(LorafaError);
  expect((error as LorafaError).message).not.toContain('\n');
  return error as LorafaError;
}

test('an adapter that is cut short is no whole one, whatever model it is for', async () => {
  const { adapter } = await golden('lorafa-patterns');
  expect((await requireWholeAdapter(adapter)).size).toBeGreaterThan(0);
  for (const name of [CONFIG, WEIGHTS]) {
    const content = await readFile(path.join(adapter, name));
    await writeFile(path.join(folder, name), content);
  }
  await truncate(path.join(folder, WEIGHTS), 1000);
  const { code, message } = await failure(requireWholeAdapter(folder));
  expect([code, message]).toEqual(['adapter.corrupt', expect.stringContaining(WEIGHTS)]);
});

describe('no whole adapter, told without its base', () => {
  const [A, B] = [loraAName(QUERY), loraBName(QUERY)];
  const matrix = (name: string, shape: number[], value = 1): TensorToWrite => {
    const data = new Float32Array(shape.reduce((count, size) => count * size, 1)).fill(value);
    return { name, shape, dtype: 'F32', data };
  };
  const [a, b] = [matrix(A, [2, 6]), matrix(B, [4, 2])];

  async function written(tensors: TensorToWrite[], config: object = {}): Promise<string> {
    const json = { peft_type: 'LORA', r: 2, target_modules: ['q_proj'], ...config };
    await writeFile(path.join(folder, CONFIG), JSON.stringify(json));
    await writeSafetensors(path.join(folder, WEIGHTS), tensors);
    return folder;
  }

  test('a pair of the rank that a pattern gives is one', async () => {
    const tensors = await requireWholeAdapter(
      await written([a, b], { r: 8, rank_pattern: { q_proj: 2 } }),
    );
    expect([...tensors.keys()]).toEqual([A, B]);
  });

  test.each([
    ['no tensors', [], {}, 'holds no tensors'],
    ['A without B', [a], {}, `has no tensor "${B}"`],
    ['B without A', [b], {}, `has no tensor "${A}"`],
    ['a stray tensor', [a, b, matrix('x', [2, 2])], {}, 'holds the tensor "x"'],
    [
      'integers',
      [a, { ...matrix(B, [4, 2]), dtype: 'I32', data: new Uint8Array(32) }],
      {},
      `"${B}" as I32 [4, 2]`,
    ],
    ['a vector', [a, matrix(B, [8])], {}, `"${B}" as F32 [8]`],
    ['another rank', [a, b], { r: 3 }, 'the rank 3'],
    ['another rank by a pattern', [a, b], { rank_pattern: { q_proj: 3 } }, 'the rank 3'],
    ['halves of two ranks', [a, matrix(B, [4, 3])], {}, `"${B}" of the shape [4, 3]`],
    ['NaN', [a, matrix(B, [4, 2], Number.NaN)], {}, `"${B}" in `],
    ['infinity', [matrix(A, [2, 6], Number.POSITIVE_INFINITY), b], {}, `"${A}" in `],
  ] as [string, TensorToWrite[], object, string][])('%s', async (_, tensors, config, told) => {
    const { code, message } = await failure(requireWholeAdapter(await written(tensors, config)));
    expect(code).toBe('adapter.corrupt');
    expect(message).toContain(told);
    expect(message).toContain(path.join(folder, WEIGHTS));
  });
});

describe('adapters that PEFT saved', () => {
  test.each(CASES)('%s loads whole, and again after it was saved here', async (name) => {
    const { adapter, decoder } = await golden(name);
    const first = await loadAdapter(adapter, decoder);
    const { tensors } = await openSafetensors(path.join(adapter, WEIGHTS));
    expect(2 * first.matched).toBe(tensors.size);
    expect(first.total).toBe(first.matched);
    await saveAdapter(folder, first, { name: 'base' });
    const second = await loadAdapter(folder, decoder);
    expect(second).toEqual({ ...first, config: second.config, baseModelNameOrPath: 'base' });
    expect(await readdir(folder)).toEqual([CONFIG, WEIGHTS]);
    expect(
      (await readFile(path.join(folder, WEIGHTS))).equals(
        await readFile(path.join(adapter, WEIGHTS)),
      ),
    ).toBe(true);
  });

  test('the revision of the base is kept', async () => {
    const { adapter, decoder } = await golden(CASES[0]!);
    const revision = 'a'.repeat(40);
    await saveAdapter(folder, await loadAdapter(adapter, decoder), { name: 'a/b', revision });
    expect(await readAdapterConfig(folder)).toMatchObject({ baseModelNameOrPath: 'a/b', revision });
    await saveAdapter(folder, await loadAdapter(adapter, decoder), { name: '/a/b' });
    expect(await readAdapterConfig(folder)).toMatchObject({ revision: null });
  });

  test('ranks, strengths and scalings are those of the configuration', async () => {
    const { adapter, decoder } = await golden('lorafa-patterns');
    const { modules, baseModelNameOrPath } = await loadAdapter(adapter, decoder);
    const facts = new Map(modules.map((m) => [m.name, [m.r, m.loraAlpha, m.scaling]]));
    expect(facts.get('model.layers.1.mlp.down_proj')).toEqual([6, 24, 4]);
    expect(facts.get(QUERY)).toEqual([2, 8, 4]);
    expect(facts.get('model.layers.0.mlp.up_proj')).toEqual([4, 3, 0.75]);
    expect(baseModelNameOrPath).toBe('qwen3');
  });

  test.each([
    ['family-gpt2', true],
    ['lora-linear', false],
  ])('%s says how the matrices of its layers lie: fan_in_fan_out is %s', async (name, expected) => {
    const { adapter, decoder } = await golden(name);
    await saveAdapter(folder, await loadAdapter(adapter, decoder), { name: 'base' });
    const json = JSON.parse(await readFile(path.join(folder, CONFIG), 'utf8'));
    expect(json.fan_in_fan_out).toBe(expected);
  });

  test('the saved configuration has keys of PEFT, and values of the same meaning', async () => {
    const { adapter, decoder } = await golden('lorafa-selected-layers');
    await saveAdapter(folder, await loadAdapter(adapter, decoder), { name: 'mistral-window' });
    const saved = JSON.parse(await readFile(path.join(folder, CONFIG), 'utf8'));
    const original = JSON.parse(await readFile(path.join(adapter, CONFIG), 'utf8'));
    expect(original).toMatchObject(saved);
  });

  test.each(['F16', 'BF16', 'F64'] as const)('weights stored as %s are widened', async (dtype) => {
    const { adapter, decoder } = await golden('lorafa-qv-bf16');
    const { modules } = await loadAdapter(adapter, decoder);
    // 1.5 in each of the formats.
    const bytes = { F16: [0x3e00], BF16: [0x3fc0], F64: [0, 0, 0, 0x3ff8] }[dtype];
    const tensors = modules.flatMap(adapterTensors).map(({ name, shape }): TensorToWrite => {
      const words = Array.from({ length: shape[0] * shape[1] }, () => bytes).flat();
      return { name, shape, dtype, data: new Uint8Array(Uint16Array.from(words).buffer) };
    });
    await writeFile(path.join(folder, CONFIG), await readFile(path.join(adapter, CONFIG)));
    await writeSafetensors(path.join(folder, WEIGHTS), tensors);
    const { weights } = await loadAdapter(folder, decoder);
    const [name, shape] = [loraAName(QUERY), adapterTensors(modules[0]!)[0].shape];
    expect(weights.get(name)).toEqual(new Float32Array(shape[0] * shape[1]).fill(1.5));
  });
});

describe('saving', () => {
  let adapter: Adapter;
  let decoder: DecoderConfig;
  beforeEach(async () => {
    const found = await golden('lorafa-qv-bf16');
    decoder = found.decoder;
    adapter = await loadAdapter(found.adapter, decoder);
  });

  test('a string in target_modules becomes the list of adapted layers', async () => {
    const config = { ...adapter.config, target_modules: '.*(q|v)_proj', layers_to_transform: [0] };
    const modules = adapter.modules.filter(({ name }) => name.includes('.0.'));
    await saveAdapter(folder, { ...adapter, config, modules }, { name: 'base' });
    const saved = JSON.parse(await readFile(path.join(folder, CONFIG), 'utf8'));
    expect(saved.target_modules).toEqual([QUERY, 'model.layers.0.self_attn.v_proj']);
    expect(saved.layers_to_transform).toBeNull();
    expect((await loadAdapter(folder, decoder)).modules).toEqual(modules);
  });

  test('patterns keep their order, in which the first match decides', async () => {
    const rank_pattern = { 'layers.0.self_attn.q_proj': 4, q_proj: 4, 'a.b': 3 };
    await saveAdapter(
      folder,
      { ...adapter, config: { ...adapter.config, rank_pattern } },
      { name: 'base' },
    );
    const { config } = await loadAdapter(folder, decoder);
    expect(Object.keys(config.rank_pattern)).toEqual(Object.keys(rank_pattern));
  });

  test('replaces an adapter, what a crash left of another, and nothing else', async () => {
    await saveAdapter(folder, adapter, { name: 'first' });
    await writeFile(path.join(folder, 'README.md'), 'mine');
    await mkdir(path.join(folder, '.adapter.tmp'));
    await writeFile(path.join(folder, '.adapter.tmp', WEIGHTS), 'half');
    const b = loraBName(QUERY);
    const weights = new Map(adapter.weights).set(
      b,
      adapter.weights.get(b)!.map(() => 2),
    );
    await saveAdapter(folder, { ...adapter, weights }, { name: 'second' });
    const loaded = await loadAdapter(folder, decoder);
    expect(loaded.weights).toEqual(weights);
    expect(loaded.baseModelNameOrPath).toBe('second');
    expect(await readdir(folder)).toEqual(['README.md', CONFIG, WEIGHTS]);
  });

  test('a failure leaves the adapter that was there', async () => {
    await saveAdapter(folder, adapter, { name: 'first' });
    const broken = new Map(adapter.weights).set(loraAName(QUERY), new Float32Array(1));
    await expect(
      saveAdapter(folder, { ...adapter, weights: broken }, { name: 'second' }),
    ).rejects.toThrow();
    const loaded = await loadAdapter(folder, decoder);
    expect(loaded.weights).toEqual(adapter.weights);
    expect(loaded.baseModelNameOrPath).toBe('first');
    expect(await readdir(folder)).toEqual([CONFIG, WEIGHTS]);
  });

  test('weights whose configuration is missing are no adapter', async () => {
    await saveAdapter(folder, adapter, { name: 'base' });
    await rm(path.join(folder, CONFIG));
    expect((await failure(loadAdapter(folder, decoder))).code).toBe('adapter.not_found');
  });

  test('a file in the way of the folder', async () => {
    const file = path.join(folder, 'file');
    await writeFile(file, '');
    const error = await failure(saveAdapter(path.join(file, 'adapter'), adapter, { name: 'base' }));
    expect(error.code).toBe('output.not_writable');
  });

  test.skipIf(process.getuid?.() === 0)('a read-only folder', async () => {
    await chmod(folder, 0o500);
    const error = await failure(saveAdapter(folder, adapter, { name: 'base' }));
    expect(error.code).toBe('output.not_writable');
    expect(error.message).toContain(folder);
  });
});

describe('what is refused', () => {
  let decoder: DecoderConfig;
  beforeEach(async () => {
    const found = await golden('lorafa-qv-bf16');
    decoder = found.decoder;
    await saveAdapter(folder, await loadAdapter(found.adapter, decoder), { name: 'base' });
  });

  async function editConfig(changes: Record<string, unknown>): Promise<void> {
    const file = path.join(folder, CONFIG);
    const json = JSON.parse(await readFile(file, 'utf8'));
    await writeFile(file, JSON.stringify({ ...json, ...changes }));
  }

  test.each([
    ['peft_type', 'IA3'],
    ['task_type', 'SEQ_CLS'],
    ['use_dora', true],
    ['modules_to_save', ['lm_head']],
    ['bias', 'lora_only'],
    ['lora_bias', true],
    ['target_parameters', ['mlp.experts']],
    ['trainable_token_indices', [1, 2]],
    ['layer_replication', [[0, 2]]],
    ['init_lora_weights', 'pissa_niter_16'],
    ['layers_pattern', 'blocks'],
    ['constructor', 1],
    ['a_feature_of_next_year', { strength: 1 }],
  ])('%s: %j, by name', async (key, value) => {
    await editConfig({ [key]: value });
    const error = await failure(loadAdapter(folder, decoder));
    expect(error.code).toBe('adapter.unsupported');
    expect(error.message).toContain(`"${key}"`);
    expect(error.message).toContain(path.join(folder, CONFIG));
  });

  test.each([
    ['init_lora_weights', 'gaussian'],
    ['layers_pattern', ['layers']],
    ['use_dora', false],
    ['a_feature_of_next_year', null],
    ['loftq_config', {}],
  ])('but not %s: %j', async (key, value) => {
    await editConfig({ [key]: value });
    await loadAdapter(folder, decoder);
  });

  test.each([
    ['r', 0],
    ['r', '8'],
    ['lora_alpha', null],
    ['target_modules', null],
    ['target_modules', '.*['],
    ['rank_pattern', { q_proj: 1.5 }],
    ['layers_to_transform', ['0']],
    ['peft_type', undefined],
  ])('a damaged value, %s: %j', async (key, value) => {
    await editConfig({ [key]: value });
    const error = await failure(loadAdapter(folder, decoder));
    expect(error.code).toBe('adapter.corrupt');
    expect(error.message).toContain(key);
  });

  test.each([
    ['target_modules', '.*['],
    ['alpha_pattern', { [`(${'q'.repeat(100_000)}`]: 1 }],
  ])('a bad regular expression in %s, with the way out', async (key, value) => {
    await editConfig({ [key]: value });
    const { message } = await failure(loadAdapter(folder, decoder));
    expect(message).toMatch(
      /holds an invalid regular expression, ".{1,200} \(U[a-z ]+\); correct it, or use plain names\.$/,
    );
  });

  test('an empty name of the base is none', async () => {
    await editConfig({ base_model_name_or_path: '' });
    expect(await readAdapterConfig(folder)).toMatchObject({ baseModelNameOrPath: null });
    await expect(openExportSource(folder)).rejects.toMatchObject({
      code: 'model.not_found',
      message: `${path.join(folder, CONFIG)} names no base model (base_model_name_or_path); give it with --base.`,
    });
  });

  test('a name of the base without end is shortened', async () => {
    await editConfig({ base_model_name_or_path: 'x'.repeat(100_000) });
    const { message } = await failure(openExportSource(folder));
    expect(message).toMatch(/^There is no model at .*xxx … xxx.*; give a folder with config\.json/);
    expect(message.length).toBeLessThan(700);
  });

  test.each(['', '[]', '{"r": 8', '\xff'])(
    'a configuration that is no JSON object: %j',
    async (text) => {
      await writeFile(path.join(folder, CONFIG), Buffer.from(text, 'latin1'));
      expect((await failure(loadAdapter(folder, decoder))).code).toBe('adapter.corrupt');
    },
  );

  test('no folder, and a folder without weights', async () => {
    const missing = await failure(loadAdapter(path.join(folder, 'nowhere'), decoder));
    expect(missing.code).toBe('adapter.not_found');
    await rm(path.join(folder, WEIGHTS));
    await writeFile(path.join(folder, 'adapter_model.bin'), '');
    const pickled = await failure(loadAdapter(folder, decoder));
    expect(pickled.code).toBe('adapter.not_found');
    expect(pickled.message).toContain('.bin');
  });

  test('weights that were cut short', async () => {
    await truncate(path.join(folder, WEIGHTS), 4000);
    const error = await failure(loadAdapter(folder, decoder));
    expect(error.code).toBe('adapter.corrupt');
  });

  test('weights that are not finite', async () => {
    const adapter = await loadAdapter(folder, decoder);
    adapter.weights.get(loraAName(QUERY))![5] = Number.NaN;
    await saveAdapter(folder, adapter, { name: 'base' });
    const error = await failure(loadAdapter(folder, decoder));
    expect(error.code).toBe('adapter.corrupt');
    expect(error.message).toContain(loraAName(QUERY));
    expect(error.message).toContain('element 5');
  });

  test('a configuration that asks for more modules than the file has', async () => {
    await editConfig({ target_modules: ['q_proj', 'v_proj', 'o_proj'] });
    const { message, code } = await failure(loadAdapter(folder, decoder));
    expect(code).toBe('adapter.mismatch');
    expect(message).toContain('4 of 6 modules matched; missing tensors: 4 (');
    expect(message).toContain(loraAName('model.layers.0.self_attn.o_proj'));
    expect(message).toContain('and 1 more');
  });

  test('a configuration that asks for fewer', async () => {
    await editConfig({ target_modules: ['q_proj'] });
    const { message, code } = await failure(loadAdapter(folder, decoder));
    expect(code).toBe('adapter.mismatch');
    expect(message).toContain('2 of 2 modules matched; tensors without a place: 4 (');
  });

  test('a configuration that asks for none', async () => {
    await editConfig({ target_modules: ['c_attn'] });
    const { message, code } = await failure(loadAdapter(folder, decoder));
    expect(code).toBe('adapter.mismatch');
    expect(message).toContain('0 of 0 modules matched; its configuration chooses no layer');
  });

  test('another rank than the tensors have', async () => {
    await editConfig({ rank_pattern: { 'layers.0.self_attn.q_proj': 3 } });
    const { message, code } = await failure(loadAdapter(folder, decoder));
    expect(code).toBe('adapter.mismatch');
    expect(message).toContain('3 of 4 modules matched; tensors that differ: 2 (');
    expect(message).toContain(`"${loraAName(QUERY)}" is F32 [4, ${decoder.hiddenSize}] where`);
  });

  test('tensors of integers', async () => {
    const { modules, weights } = await loadAdapter(folder, decoder);
    const tensors = modules
      .flatMap(adapterTensors)
      .map(
        ({ name, shape }): TensorToWrite =>
          name === loraBName(QUERY)
            ? { name, shape, dtype: 'I8', data: new Uint8Array(shape[0] * shape[1]) }
            : { name, shape, dtype: 'F32', data: weights.get(name)! },
      );
    await writeSafetensors(path.join(folder, WEIGHTS), tensors);
    const { message, code } = await failure(loadAdapter(folder, decoder));
    expect(code).toBe('adapter.mismatch');
    expect(message).toContain('is I8');
  });

  test('the model of another size', async () => {
    const larger = decoderConfig({ hidden_size: 2 * decoder.hiddenSize });
    const { message, code } = await failure(loadAdapter(folder, larger));
    expect(code).toBe('adapter.mismatch');
    expect(message).toContain('0 of 4 modules matched');
  });
});
