import { readdirSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { exportResult } from '../../../engine/export/export.ts';
import { bfloat16ToFloat32, float32ToBfloat16 } from '../../../engine/formats/float16.ts';
import { openSafetensors } from '../../../engine/formats/safetensors.ts';
import { readTensor, readTensorRaw } from '../../../engine/formats/tensor-data.ts';
import { openBaseModel } from '../../../engine/models/base-model.ts';
import { goldenJson, goldenPath } from '../../support/golden.ts';
import { goldenAdapter } from '../../support/golden-adapter.ts';
import { goldenModelFolder } from '../../support/golden-model-folder.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const cases = readdirSync(goldenPath('export'))
  .filter((file) => file.endsWith('.merged.safetensors'))
  .map((file) => file.split('.')[0]!);

async function merged(name: string) {
  const { model } = goldenJson<{ model: string }>('training', name, 'case.json');
  const base = path.join(await tempFolder(), model);
  await goldenModelFolder(model, base);
  const output = `${base}-merged`;
  const result = await exportResult({
    folder: goldenAdapter(name),
    format: 'merged',
    output,
    base,
  });
  return { base, output, result };
}

describe('a merged folder is what merge_and_unload of PEFT makes', () => {
  test.each(cases)('%s', async (name) => {
    const { base, output, result } = await merged(name);
    const golden = await openSafetensors(goldenPath('export', `${name}.merged.safetensors`));
    const read = await openBaseModel(output);
    expect(result).toMatchObject({
      modules: golden.tensors.size,
      tensors: read.weights.tensors.size,
    });
    const stored = await openBaseModel(base);
    for (const [tensor, location] of read.weights.tensors) {
      const theirs = golden.tensors.get(tensor);
      if (theirs === undefined) {
        expect(await readTensorRaw(location), tensor).toEqual(
          await readTensorRaw(stored.weights.get(tensor)),
        );
        continue;
      }
      expect(location.dtype).toBe(theirs.dtype);
      const [ours, expected] = [await readTensor(location), await readTensor(theirs)];
      // PEFT rounds what it adds and the sum; this rounds the sum.
      const step = location.dtype === 'BF16' ? 2 ** -7 : 2 ** -21;
      const worst = ours.reduce(
        (most, value, i) =>
          Math.max(most, Math.abs(value - expected[i]!) / (Math.abs(value) + 0.1)),
        0,
      );
      expect(worst, tensor).toBeLessThan(step);
    }
  });
});

test('the type that is asked for is that of all tensors, and of the config', async () => {
  const base = path.join(await tempFolder(), 'llama-tied');
  await goldenModelFolder('llama-tied', base);
  const output = `${base}-bf16`;
  await exportResult({ folder: base, format: 'merged', output, dtype: 'bf16' });
  const [read, stored] = [await openBaseModel(output), await openBaseModel(base)];
  expect(read.configJson).toEqual({ ...stored.configJson, dtype: 'bfloat16' });
  for (const [name, location] of read.weights.tensors) {
    const expected = float32ToBfloat16(await readTensor(stored.weights.get(name)));
    expect(location.dtype).toBe('BF16');
    expect(await readTensor(location), name).toEqual(bfloat16ToFloat32(expected));
  }
});

test('a number that float16 cannot hold is refused by the name of its tensor, and nothing is left', async () => {
  const folder = await tempFolder();
  const base = path.join(folder, 'llama-tied');
  await goldenModelFolder('llama-tied', base);
  const { tensors } = await openSafetensors(path.join(base, 'model.safetensors'));
  const { offset } = tensors.get('model.norm.weight')!;
  const bytes = await readFile(path.join(base, 'model.safetensors'));
  bytes.writeFloatLE(1e6, offset);
  await writeFile(path.join(base, 'model.safetensors'), bytes);
  const output = path.join(folder, 'half');
  await expect(
    exportResult({ folder: base, format: 'merged', output, dtype: 'f16' }),
  ).rejects.toMatchObject({
    code: 'model.unsupported',
    message: expect.stringContaining('"model.norm.weight"'),
  });
  expect(readdirSync(folder)).toEqual(['llama-tied']);
});

test('what makes tokens of texts goes along, be it that this project does not read it', async () => {
  const folder = await tempFolder();
  const base = path.join(folder, 'llama-tied');
  await goldenModelFolder('llama-tied', base);
  await writeFile(path.join(base, 'tokenizer.model'), 'pieces');
  await writeFile(path.join(base, 'generation_config.json'), '{"temperature": 0.5}');
  await writeFile(path.join(base, 'optimizer.pt'), 'state');
  await exportResult({ folder: base, format: 'merged', output: path.join(folder, 'out') });
  expect(readdirSync(path.join(folder, 'out')).toSorted()).toEqual([
    'config.json',
    'generation_config.json',
    'model.safetensors',
    'tokenizer.json',
    'tokenizer.model',
    'tokenizer_config.json',
  ]);
});
