import { mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { exportResult } from '../../../engine/export/export.ts';
import { exportSizes } from '../../../engine/export/export-sizes.ts';
import { openSafetensors } from '../../../engine/formats/safetensors.ts';
import { BYTES_PER_ELEMENT, elementCount } from '../../../engine/formats/tensor-location.ts';
import { openGguf } from '../../../engine/gguf/gguf.ts';
import { ggmlBytes } from '../../../engine/gguf/write-gguf.ts';
import { goldenJson } from '../../support/golden.ts';
import { goldenAdapter } from '../../support/golden-adapter.ts';
import { goldenModelFolder } from '../../support/golden-model-folder.ts';
import { tempFolder } from '../../support/temp-folder.ts';

/** An adapter of the golden data with its base. */
async function source() {
  const { model } = goldenJson<{ model: string }>('training', 'family-smollm3', 'case.json');
  const base = path.join(await tempFolder(), model);
  await goldenModelFolder(model, base);
  return { folder: goldenAdapter('family-smollm3'), base };
}

const BYTES_IN = {
  gguf: async (file: string) =>
    [...(await openGguf(file)).tensors.values()]
      .filter(({ name }) => !name.startsWith('rope_'))
      .reduce((sum, { type, shape }) => sum + ggmlBytes(type, shape), 0),
  merged: async (folder: string) => {
    const file = path.join(folder, 'model.safetensors');
    const codes = { notFound: 'model.not_found', corrupt: 'model.corrupt' } as const;
    return [...(await openSafetensors(file, codes)).tensors.values()].reduce(
      (sum, { shape, dtype }) => sum + elementCount(shape) * BYTES_PER_ELEMENT[dtype],
      0,
    );
  },
};

test.each([
  ['gguf', 'f32'],
  ['gguf', 'q8_0'],
  ['merged', 'f32'],
  ['merged', 'f16'],
  ['gguf-adapter', 'f16'],
] as const)('%s in %s takes what was said before', async (format, dtype) => {
  const from = await source();
  const sizes = await exportSizes(from.folder, from);
  const output = path.join(await tempFolder(), 'out');
  await exportResult({ ...from, format, dtype, output });
  const measured = await BYTES_IN[format === 'merged' ? format : 'gguf'](output);
  expect(sizes.find((size) => size.format === format)?.bytes[dtype]).toBe(measured);
});

test('each format says its own type, and all types that it knows; nothing is written', async () => {
  const from = await source();
  const before = await readdir(path.dirname(from.base));
  const sizes = await exportSizes(from.folder, from);
  expect(sizes.map(({ format, dtype, bytes }) => [format, dtype, Object.keys(bytes)])).toEqual(
    expect.arrayContaining([
      ['peft', 'f32', ['f32']],
      ['merged', 'f32', ['f32', 'f16', 'bf16']],
    ]),
  );
  const [gguf, ollama] = ['gguf', 'ollama'].map((name) =>
    sizes.find(({ format }) => format === name),
  );
  expect(ollama?.bytes).toEqual(gguf?.bytes);
  // What is written without a wish is not what the base is stored in.
  expect(gguf).toMatchObject({ dtype: 'f16', baseDtype: 'f32' });
  expect(await readdir(path.dirname(from.base))).toEqual(before);
});

test('a base that is not here keeps nobody from the adapter alone, and is not fetched', async () => {
  const folder = path.join(await tempFolder(), 'mine');
  await mkdir(folder);
  const { folder: golden } = await source();
  await exportResult({ folder: golden, format: 'peft', output: path.join(folder, 'copy') });
  const file = path.join(folder, 'copy', 'adapter_config.json');
  const config = { peft_type: 'LORA', r: 4, base_model_name_or_path: 'nobody/nothing' };
  await writeFile(file, JSON.stringify({ ...config, target_modules: ['q_proj'] }));
  const sizes = await exportSizes(path.join(folder, 'copy'));
  expect(sizes.find(({ format }) => format === 'peft')?.problem).toBeNull();
  expect(sizes.find(({ format }) => format === 'gguf')).toMatchObject({
    dtype: null,
    bytes: {},
    needsDownload: true,
    problem: expect.stringMatching(/^The base model nobody\/nothing is not on this machine yet/),
  });
});
