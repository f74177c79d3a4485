import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { GGMLQuantizationType } from '@huggingface/gguf';
import { expect, test } from 'vitest';
import { float32ToFloat16 } from '../../../engine/formats/float16.ts';
import { openSafetensors } from '../../../engine/formats/safetensors.ts';
import { readTensor, readTensorRaw } from '../../../engine/formats/tensor-data.ts';
import { BLOCK_FORMATS } from '../../../engine/gguf/dequantize/formats.ts';
import { openGguf } from '../../../engine/gguf/gguf.ts';
import { unpackGguf } from '../../../engine/gguf/gguf-weights.ts';
import { ggufBytes } from '../../support/gguf-bytes.ts';
import { goldenPath } from '../../support/golden.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { goldenModel } from '../train/golden-case.ts';

/** The blocks of a type that the Python package gguf was given, and what it made of the first two. */
async function golden(type: string) {
  const { tensors } = await openSafetensors(goldenPath('gguf', 'quants.safetensors'));
  const blocks = await readTensorRaw(tensors.get(`${type}.blocks`)!);
  return { blocks, values: await readTensor(tensors.get(`${type}.values`)!) };
}

test.each([
  ['Q4_K', 3],
  // More than are read at a time.
  ['Q6_K', 2 ** 23 / 420 + 3],
] as const)('a matrix in %s becomes the nearest float16', async (type, least) => {
  const { blocks, values } = await golden(type);
  // The two blocks are a row, which is there again and again.
  const row = blocks.subarray(0, 2 * BLOCK_FORMATS[type].bytes);
  const rows = Math.ceil(least);
  const data = Buffer.alloc(rows * row.length, row);
  const file = path.join(await tempFolder(), 'model.gguf');
  const tensor = {
    name: 'blk.0.ffn_down.weight',
    dims: [values.length, rows],
    type: GGMLQuantizationType[type],
  };
  await writeFile(file, ggufBytes({}, [tensor], data));

  const { config } = await goldenModel('llama2');
  const [unpacked] = unpackGguf(await openGguf(file), config);
  expect(unpacked).toMatchObject({ dtype: 'F16', shape: [rows, values.length] });
  const made = (await (unpacked!.data as () => Promise<Uint8Array>)()) as Uint8Array;
  const expected = Buffer.from(float32ToFloat16(values).buffer);
  expect(made.length).toBe(rows * expected.length);
  const all = Buffer.alloc(made.length, expected);
  expect(Buffer.compare(made, all)).toBe(0);
});
