import { readdirSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { exportResult } from '../../../engine/export/export.ts';
import { openSafetensors } from '../../../engine/formats/safetensors.ts';
import { writeSafetensors } from '../../../engine/formats/safetensors-writer.ts';
import { readTensor, readTensorRaw } from '../../../engine/formats/tensor-data.ts';
import { openGguf } from '../../../engine/gguf/gguf.ts';
import { loadAdapter } from '../../../engine/lora/load-adapter.ts';
import { loraAName, loraBName } from '../../../engine/lora/lora-module.ts';
import { goldenJson, goldenPath, relativeError } from '../../support/golden.ts';
import { goldenAdapter } from '../../support/golden-adapter.ts';
import { goldenModelFolder } from '../../support/golden-model-folder.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { goldenModel } from '../train/golden-case.ts';

const cases = readdirSync(goldenPath('export'))
  .filter((file) => file.endsWith('.adapter.gguf'))
  .map((file) => file.split('.')[0]!);

async function exported(name: string) {
  const { model } = goldenJson<{ model: string }>('training', name, 'case.json');
  const base = path.join(await tempFolder(), model);
  await goldenModelFolder(model, base);
  const output = `${base}.gguf`;
  const source = { folder: goldenAdapter(name), base };
  const { notes } = await exportResult({ ...source, format: 'gguf-adapter', output });
  return { model, file: await openGguf(output), notes };
}

describe("an adapter is written as llama.cpp's convert_lora_to_gguf.py writes it", () => {
  test.each(cases)('%s', async (name) => {
    const { file } = await exported(name);
    const golden = await openGguf(goldenPath('export', `${name}.adapter.gguf`));
    expect([...file.tensors.keys()].toSorted()).toEqual([...golden.tensors.keys()].toSorted());
    for (const [tensor, { shape, type, ...place }] of golden.tensors) {
      const ours = file.tensors.get(tensor)!;
      expect(ours).toMatchObject({ shape, type });
      expect(Buffer.compare(await readTensorRaw(ours), await readTensorRaw(place)), tensor).toBe(0);
    }
    for (const [key, value] of golden.metadata) {
      if (/^(general\.(name|size_label)|kv_count|version)$/.test(key)) continue;
      expect([key, file.metadata.get(key)]).toEqual([key, value]);
    }
  });
});

/** llama.cpp multiplies `B A` by this. */
function scaleOf(alpha: number, rank: number): number {
  return alpha / rank;
}

test.each(['lorafa-rslora', 'lorafa-patterns'])(
  'what llama.cpp cannot be told of %s is in B',
  async (name) => {
    const { model, file } = await exported(name);
    const { config } = await goldenModel(model);
    const { modules, weights } = await loadAdapter(goldenAdapter(name), config);
    const alpha = Number(file.metadata.get('adapter.lora.alpha'));
    const names = new Map([
      ['self_attn.v_proj', 'attn_v'],
      ['mlp.down_proj', 'ffn_down'],
    ]);
    for (const module of modules) {
      const [, layer, kind] = /layers\.(\d+)\.(.*)$/.exec(module.name)!;
      const gguf = names.get(kind!);
      if (gguf === undefined) continue;
      const read = async (matrix: string) => {
        const tensor = file.tensors.get(`blk.${layer}.${gguf}.weight.lora_${matrix}`)!;
        return readTensor({ ...tensor, dtype: 'F32' });
      };
      expect(await read('a')).toEqual(weights.get(loraAName(module.name)));
      const scaled = (await read('b')).map((value) => value * scaleOf(alpha, module.r));
      const meant = weights.get(loraBName(module.name))!.map((value) => value * module.scaling);
      expect(relativeError(scaled, meant), module.name).toBeLessThan(1e-6);
    }
  },
);

test('an adapter with which llama.cpp ends is told of', async () => {
  expect((await exported('family-glm4')).notes).toEqual([
    expect.stringContaining("adapter of GLM-4's o_proj or down_proj"),
  ]);
  expect((await exported('lora-linear')).notes).toEqual([]);
});

test('a model that was trained whole has no adapter', async () => {
  const base = path.join(await tempFolder(), 'llama2');
  await goldenModelFolder('llama2', base);
  const output = `${base}.gguf`;
  await expect(
    exportResult({ folder: base, format: 'gguf-adapter', output }),
  ).rejects.toMatchObject({
    code: 'adapter.not_found',
    message: expect.stringContaining('export it as merged, gguf, ollama or onnx'),
  });
});

/** An adapter of the golden data with other values, and without the tensors that have none. */
async function withTensors(
  name: string,
  change: (tensor: string, values: Float32Array) => Float32Array | undefined,
) {
  const folder = path.join(await tempFolder(), 'changed');
  const stored = await openSafetensors(
    path.join(goldenAdapter(name), 'adapter_model.safetensors'),
    { notFound: 'adapter.not_found', corrupt: 'adapter.corrupt' },
  );
  const tensors = [];
  for (const tensor of stored.tensors.values()) {
    const { name: each, shape } = tensor;
    const data = change(each, await readTensor(tensor));
    if (data !== undefined) tensors.push({ name: each, shape, dtype: 'F32' as const, data });
  }
  await mkdir(folder);
  await writeSafetensors(path.join(folder, 'adapter_model.safetensors'), tensors, { format: 'pt' });
  const file = 'adapter_config.json';
  const config = JSON.parse(await readFile(path.join(goldenAdapter(name), file), 'utf8')) as object;
  const target_modules = [...new Set(tensors.map(({ name: each }) => moduleOf(each)))];
  await writeFile(path.join(folder, file), JSON.stringify({ ...config, target_modules }));
  return folder;
}

function moduleOf(name: string): string {
  return name.replace(/^base_model\.model\./, '').replace(/\.lora_[AB]\.weight$/, '');
}

test('experts without an adapter have zeros in the stack', async () => {
  const { model } = goldenJson<{ model: string }>('training', 'family-mixtral', 'case.json');
  const base = path.join(await tempFolder(), model);
  await goldenModelFolder(model, base);
  const folder = await withTensors('family-mixtral', (name, values) =>
    /experts\.0\./.test(name) ? undefined : values,
  );
  const output = `${base}.gguf`;
  await exportResult({ folder, format: 'gguf-adapter', output, base });
  const { config } = await goldenModel(model);
  const { weights } = await loadAdapter(folder, config);
  const stack = (await openGguf(output)).tensors.get('blk.1.ffn_down_exps.weight.lora_b')!;
  const values = await readTensor({ ...stack, dtype: 'F32' });
  const size = values.length / stack.shape[0]!;
  expect(values.subarray(0, size).every((value) => value === 0)).toBe(true);
  for (let expert = 1; expert < stack.shape[0]!; expert++) {
    const name = `model.layers.1.block_sparse_moe.experts.${expert}.w2`;
    expect(values.slice(expert * size, (expert + 1) * size), name).toEqual(
      weights.get(loraBName(name)),
    );
  }
});

test('gate and up that are one layer have its A, and each its half of B', async () => {
  const base = path.join(await tempFolder(), 'granite4');
  await goldenModelFolder('granite4', base);
  const module = 'model.layers.1.shared_mlp.input_linear';
  const folder = await withTensors('family-granite4', (name, values) =>
    name.includes(`${module}.lora_B`) ? values.map((_, index) => index) : values,
  );
  const output = `${base}.gguf`;
  await exportResult({ folder, format: 'gguf-adapter', output, base });
  const { config } = await goldenModel('granite4');
  const { weights } = await loadAdapter(folder, config);
  const { tensors } = await openGguf(output);
  const read = async (name: string) =>
    readTensor({ ...tensors.get(`blk.1.${name}`)!, dtype: 'F32' });
  for (const part of ['gate', 'up']) {
    expect(await read(`ffn_${part}.weight.lora_a`)).toEqual(weights.get(loraAName(module)));
  }
  const halves = [
    ...(await read('ffn_gate.weight.lora_b')),
    ...(await read('ffn_up.weight.lora_b')),
  ];
  expect(halves).toEqual([...weights.get(loraBName(module))!]);
  expect(halves.at(-1)).toBe(halves.length - 1);
});
