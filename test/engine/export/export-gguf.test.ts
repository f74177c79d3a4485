import { readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { exportResult } from '../../../engine/export/export.ts';
import { encode, ggufTensor } from '../../../engine/export/gguf-values.ts';
import { allRows } from '../../../engine/export/model-tensor.ts';
import { readTensor, readTensorRaw } from '../../../engine/formats/tensor-data.ts';
import { type GgufFile, openGguf } from '../../../engine/gguf/gguf.ts';
import { openBaseModel } from '../../../engine/models/base-model.ts';
import { goldenJson, goldenPath } from '../../support/golden.ts';
import { goldenAdapter } from '../../support/golden-adapter.ts';
import { goldenModelFolder } from '../../support/golden-model-folder.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { writeTinyModel } from '../../support/tiny-model-folder.ts';

/** A model of `golden/models`, exported. */
async function exported(model: string, dtype: 'f32' | 'f16' | 'bf16' | 'q8_0') {
  const folder = path.join(await tempFolder(), model);
  await goldenModelFolder(model, folder);
  const output = `${folder}.gguf`;
  const result = await exportResult({ folder, format: 'gguf', output, dtype });
  return { result, file: await openGguf(output) };
}

async function bytesOf({ tensors }: GgufFile) {
  const entries = [...tensors.values()].map(async (tensor) => {
    const { name, type, shape } = tensor;
    return [name, { type, shape, bytes: Buffer.from(await readTensorRaw(tensor)).toString('hex') }];
  });
  return Object.fromEntries(await Promise.all(entries));
}

/** What is said although llama.cpp does the same without it, where its converter says nothing. */
const SAID_ALL_THE_SAME =
  /\.(vocab_size|rope\.dimension_count|rope\.freq_base|attention\.(key_length|value_length|head_count_kv))$|^general\.file_type$/;

/** Keys that a `config.json` of the test models has although its family does not know them. */
const FOREIGN = /^(cohere2|starcoder2)\.attention\.layer_norm_rms_epsilon$/;

/** Keys that all models of a class have for what only others of it are made of, or layer by layer. */
const OF_OTHERS: Readonly<Record<string, RegExp>> = {
  granite4: /^granite\.(ssm\.|expert_|rope\.scaling\.finetuned$|attention\.head_count_kv$)/,
};

const families = readdirSync(goldenPath('gguf', 'families')).map((file) => path.parse(file).name);

describe("a model is written as llama.cpp's converter writes it", () => {
  test.each(families)('%s', async (name) => {
    const { file } = await exported(name, 'f16');
    const golden = await openGguf(goldenPath('gguf', 'families', `${name}.gguf`));
    expect(await bytesOf(file)).toEqual(await bytesOf(golden));
    // Lines of a processor's caches.
    expect([...file.tensors.values()].filter(({ offset }) => offset % 64 !== 0)).toEqual([]);

    const isOfModel = (key: string): boolean =>
      !/^(tokenizer\.|general\.(name|alignment)$|kv_count$|version$|tensor_count$)/.test(key) &&
      !FOREIGN.test(key) &&
      !OF_OTHERS[name]?.test(key);
    const said = [...golden.metadata].filter(([key]) => isOfModel(key));
    expect(Object.fromEntries(file.metadata)).toMatchObject(Object.fromEntries(said));
    const more = [...file.metadata.keys()].filter(
      (key) => isOfModel(key) && !golden.metadata.has(key) && !SAID_ALL_THE_SAME.test(key),
    );
    expect(more).toEqual([]);
  });
});

test('adapters of experts are merged into what is stacked', async () => {
  const { model } = goldenJson<{ model: string }>('training', 'family-mixtral', 'case.json');
  const base = path.join(await tempFolder(), model);
  await goldenModelFolder(model, base);
  const source = { folder: goldenAdapter('family-mixtral'), base };
  // What it reads back is compared with what was meant.
  const output = `${base}.gguf`;
  const { modules } = await exportResult({ ...source, format: 'gguf', output, dtype: 'f32' });
  expect(modules).toBeGreaterThan(10);
  const merged = `${base}-merged`;
  await exportResult({ ...source, format: 'merged', output: merged });
  const { weights } = await openBaseModel(merged);
  const stacked = (await openGguf(output)).tensors.get('blk.1.ffn_down_exps.weight')!;
  const own = await Promise.all(
    Array.from({ length: stacked.shape[0]! }, (_, expert) =>
      readTensor(weights.get(`model.layers.1.block_sparse_moe.experts.${expert}.w2.weight`)),
    ),
  );
  const read = await readTensor({ ...stacked, dtype: 'F32' });
  expect([...read]).toEqual(own.flatMap((values) => [...values]));
});

test('a model with experts in some of its layers is refused', async () => {
  await expect(exported('qwen3-moe', 'f16')).rejects.toMatchObject({
    code: 'model.unsupported',
    message: expect.stringContaining('experts in all layers of a model or in none'),
  });
});

describe('what a file has no place for is told', () => {
  test.each([
    ['mistral-window', /attention\.slidingWindow of this model \(8, read as null, in 2 places\)/],
    ['gemma2', /attention\.scale of this model/],
    ['gpt-neox-sequential', /mlp\.activation of this model \("gelu_tanh", read as "gelu"/],
  ])('%s', async (model, note) => {
    const { result } = await exported(model, 'q8_0');
    expect(result.notes).toEqual([expect.stringMatching(note)]);
  });

  test.each(['granite4', 'llama3-gqa', 'phi3-long', 'qwen2'])('nothing of %s', async (model) => {
    const { result, file } = await exported(model, 'bf16');
    expect(result.notes).toEqual([]);
    const factors = [...file.tensors.keys()].filter((name) => name.startsWith('rope_'));
    expect(factors).toHaveLength({ 'llama3-gqa': 1, 'phi3-long': 2 }[model] ?? 0);
  });
});

test('an OLMo 3 with another pattern of layers than llama.cpp takes it to have is told of', async () => {
  // Layer 1 sees everything.
  expect((await exported('olmo3', 'f16')).result.notes).toEqual([
    expect.stringMatching(/which layers of an OLMo 3 slide.* otherwise in layer 1 \(/),
  ]);
});

describe('Q4_K_M is a mixture of types, whose values are near those that were meant', () => {
  /** The types of matrices of a model, and the error of their values, relative to their size (RMS). */
  async function quantized(widths: { hidden_size: number; intermediate_size: number }) {
    const folder = path.join(await tempFolder(), 'model');
    await writeTinyModel(folder, { widths });
    const [output, exact] = [`${folder}.gguf`, `${folder}-f32.gguf`];
    const result = await exportResult({ folder, format: 'gguf', output, dtype: 'q4_k_m' });
    await exportResult({ folder, format: 'gguf', output: exact, dtype: 'f32' });
    const [file, meant] = [await openGguf(output), await openGguf(exact)];
    const types = new Map<string, string>();
    for (const [name, tensor] of file.tensors) {
      if (tensor.shape.length < 2) continue;
      types.set(name, tensor.type);
      const values = await allRows(ggufTensor(tensor));
      const wanted = await allRows(ggufTensor(meant.tensors.get(name)!));
      const square = (all: Float32Array): number => all.reduce((sum, x) => sum + x * x, 0);
      const off = values.map((value, index) => value - wanted[index]!);
      expect(Math.sqrt(square(off) / square(wanted)), name).toBeLessThan(0.1);
    }
    return { result, file, types };
  }

  test('rows of whole blocks', async () => {
    const { result, file, types } = await quantized({ hidden_size: 256, intermediate_size: 512 });
    expect(result.dtype).toBe('q4_k_m');
    expect(file.metadata.get('general.file_type')).toBe(15);
    expect(Object.fromEntries(types)).toMatchObject({
      'token_embd.weight': 'Q6_K',
      'blk.0.attn_v.weight': 'Q4_K',
      'blk.1.attn_v.weight': 'Q6_K',
      'blk.1.attn_q.weight': 'Q4_K',
      'blk.0.ffn_down.weight': 'Q4_K',
      'blk.1.ffn_down.weight': 'Q6_K',
    });
  });

  test('narrow rows', async () => {
    const { types } = await quantized({ hidden_size: 32, intermediate_size: 40 });
    expect(Object.fromEntries(types)).toMatchObject({
      'token_embd.weight': 'Q8_0',
      'blk.0.attn_v.weight': 'Q5_0',
      'blk.1.attn_v.weight': 'Q8_0',
      'blk.1.ffn_down.weight': 'F16',
    });
  });
});

test('what is not finite is not quantized', () => {
  const values = new Float32Array(256);
  values[7] = Number.NaN;
  for (const type of ['Q4_K', 'Q6_K', 'Q5_0', 'Q8_0'] as const) {
    expect(() => encode('blk.0.attn_q.weight', type, values)).toThrow(
      'Tensor "blk.0.attn_q.weight" holds NaN, with which a model writes nothing of use',
    );
  }
});
