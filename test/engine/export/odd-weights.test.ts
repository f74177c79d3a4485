import { closeSync, openSync, readdirSync, writeSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { exportResult, type OnExportProgress } from '../../../engine/export/export.ts';
import type { ExportDtype } from '../../../engine/export/export-format.ts';
import type { ExportFormatName } from '../../../engine/export/export-formats.ts';
import { openSafetensors } from '../../../engine/formats/safetensors.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { writeTinyModel } from '../../support/tiny-model-folder.ts';

const QUERY = 'model.layers.0.self_attn.q_proj.weight';

/** A whole model in which one weight, or all those of a matrix, is something else. */
async function modelWith(value: number, count = 1): Promise<string> {
  const folder = path.join(await tempFolder(), 'model');
  await writeTinyModel(folder);
  await put(folder, value, count);
  return folder;
}

async function put(folder: string, value: number, count = 1): Promise<void> {
  const { tensors, path: file } = await openSafetensors(path.join(folder, 'model.safetensors'));
  overwrite(file, tensors.get(QUERY)!.offset, value, count);
}

function overwrite(file: string, offset: number, value: number, count: number): void {
  const place = openSync(file, 'r+');
  writeSync(place, new Float32Array(count).fill(value), 0, 4 * count, offset);
  closeSync(place);
}

function exported(folder: string, format: ExportFormatName, dtype: ExportDtype) {
  return exportResult({ folder, format, dtype, output: path.join(path.dirname(folder), 'out') });
}

test.each([
  ['merged', 'f32', Number.NaN],
  ['merged', 'f16', Number.POSITIVE_INFINITY],
  ['merged', 'bf16', Number.NaN],
  ['gguf', 'f16', Number.NaN],
  ['gguf', 'q8_0', Number.NEGATIVE_INFINITY],
  ['onnx', 'f32', Number.NaN],
] as const)(
  '%s in %s of a weight that is %d is refused by its name',
  async (format, dtype, value) => {
    const folder = await modelWith(value);
    const { code, message } = await exported(folder, format, dtype).catch((error) => error);
    expect(code).toBe('model.not_finite');
    expect(message).toMatch(
      format === 'gguf' ? /"blk\.0\.attn_q\.weight" holds/ : `"${QUERY}" holds`,
    );
    expect(readdirSync(path.dirname(folder))).toEqual(['model']);
  },
);

test.each([
  ['merged', 'bf16', 3.4e38],
  ['gguf', 'bf16', 3.4e38],
  ['gguf', 'q8_0', 1e7],
  ['gguf', 'q8_0', 3.4e38],
  ['gguf', 'q4_k_m', 3.4e38],
] as const)(
  '%s in %s of %d, which it has no number for, is refused',
  async (format, dtype, value) => {
    const folder = await modelWith(value);
    await expect(exported(folder, format, dtype)).rejects.toMatchObject({
      code: 'model.unsupported',
      message: expect.stringContaining('export it with --dtype'),
    });
    expect(readdirSync(path.dirname(folder))).toEqual(['model']);
  },
);

test.each(['q8_0', 'q4_k_m'] as const)('a weight beyond float16 is well in %s', async (dtype) => {
  const folder = await modelWith(1e5);
  expect((await exported(folder, 'gguf', dtype)).dtype).toBe(dtype);
});

test('a model whose logits are no numbers is told, and no defect of the export', async () => {
  const folder = await modelWith(1e38, 32 * 32);
  await expect(exported(folder, 'onnx', 'f32')).rejects.toMatchObject({
    code: 'model.not_finite',
    message: expect.stringMatching(/^The model gives the logit NaN/),
  });
});

test('a base that is changed while it is exported is told', async () => {
  const folder = await modelWith(0.5);
  const file = path.join(folder, 'model.safetensors');
  const { offset } = (await openSafetensors(file)).tensors.get(QUERY)!;
  const onProgress: OnExportProgress = ({ task, done, total }) => {
    if (task === 'writing' && done === total) overwrite(file, offset, 0.25, 32 * 32);
  };
  const output = path.join(path.dirname(folder), 'out');
  await expect(
    exportResult({ folder, format: 'merged', output }, { onProgress }),
  ).rejects.toMatchObject({
    code: 'model.corrupt',
    message: expect.stringContaining('model.safetensors was changed while it was exported'),
  });
  expect(readdirSync(path.dirname(folder))).toEqual(['model']);
});
