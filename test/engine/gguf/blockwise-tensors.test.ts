import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { GGMLQuantizationType } from '@huggingface/gguf';
import { expect, test } from 'vitest';
import { BLOCKWISE_NAMES } from '../../../engine/formats/blockwise.ts';
import { openSafetensors } from '../../../engine/formats/safetensors.ts';
import type { TensorToWrite } from '../../../engine/formats/safetensors-writer.ts';
import { readTensor, readTensorRaw } from '../../../engine/formats/tensor-data.ts';
import { blockwiseTensors } from '../../../engine/gguf/blockwise-tensors.ts';
import { BLOCK_FORMATS, type GgmlType } from '../../../engine/gguf/dequantize/formats.ts';
import { openGguf } from '../../../engine/gguf/gguf.ts';
import { ggufBytes } from '../../support/gguf-bytes.ts';
import { goldenPath } from '../../support/golden.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const { tensors: golden } = await openSafetensors(goldenPath('gguf', 'quants.safetensors'));

/** How each type is stored: bits of a code, codes of a block, and whether blocks have offsets. */
const TYPES = [
  ['Q4_0', 4, 32, false],
  ['Q4_1', 4, 32, true],
  ['Q5_0', 8, 32, false],
  ['Q5_1', 8, 32, true],
  ['Q8_0', 8, 32, false],
  ['Q2_K', 4, 16, true],
  ['Q3_K', 4, 16, false],
  ['Q4_K', 4, 32, true],
  ['Q5_K', 8, 32, true],
  ['Q6_K', 8, 16, false],
] as const;

/** A file of three rows, the second one of other blocks, and what the package gguf makes of the first. */
async function matrix(type: GgmlType) {
  const { bytes, elements } = BLOCK_FORMATS[type];
  const blocks = await readTensorRaw(golden.get(`${type}.blocks`)!);
  const values = await readTensor(golden.get(`${type}.values`)!);
  const rowBytes = (values.length / elements) * bytes;
  const ofRow = (row: number) => blocks.subarray(row * rowBytes, (row + 1) * rowBytes);
  const file = path.join(await tempFolder(), 'model.gguf');
  const info = { name: 'w', dims: [values.length, 3], type: GGMLQuantizationType[type] };
  const data = Buffer.concat([ofRow(0), ofRow(1), ofRow(0)]);
  await writeFile(file, ggufBytes({}, [info], data));
  return { tensor: (await openGguf(file)).tensors.get('w')!, values };
}

async function made(tensors: readonly TensorToWrite[], name: string) {
  const tensor = tensors.find((each) => each.name === name);
  if (tensor === undefined) return undefined;
  const data = await (tensor.data as () => Promise<Float32Array | Uint8Array>)();
  return { shape: tensor.shape, data };
}

test.each(TYPES)(
  'a matrix in %s has its values: %i bits, blocks of %i',
  async (type, ...stored) => {
    const [bits, size, hasOffsets] = stored;
    const { tensor, values } = await matrix(type);
    const width = values.length;
    // The row that is known goes to the end, and to the beginning.
    const tensors = blockwiseTensors(tensor, 'w', (row) => (row + 2) % 3)!;
    const codes = (await made(tensors, 'w'))!;
    const scales = (await made(tensors, BLOCKWISE_NAMES.scales('w')))!;
    const offsets = await made(tensors, BLOCKWISE_NAMES.offsets('w'));
    expect(codes.shape).toEqual([3, width / size, (size * bits) / 8]);
    expect(scales.shape).toEqual([3, width / size]);
    expect(offsets?.shape).toEqual(hasOffsets ? [3, width / size] : undefined);

    const codeAt = (i: number): number =>
      bits === 8 ? codes.data[i]! - 128 : ((codes.data[i >> 1]! >> ((i & 1) * 4)) & 15) - 8;
    for (const row of [1, 2]) {
      for (let column = 0; column < width; column++) {
        const i = row * width + column;
        const block = Math.floor(i / size);
        const scale = scales.data[block]!;
        const offset = offsets?.data[block] ?? 0;
        const actual = scale * codeAt(i) + offset;
        // Without offsets the value is the product itself; with them each sum is rounded once more.
        const rounding = hasOffsets ? 2 ** -22 * (16 * Math.abs(scale) + Math.abs(offset)) : 0;
        const difference = Math.abs(Math.fround(actual) - values[column]!);
        expect(difference, `row ${row}, column ${column}`).toBeLessThanOrEqual(rounding);
      }
    }
  },
);

test('what has no scales of groups, and what is no matrix, is not stored so', async () => {
  const { tensor } = await matrix('IQ4_NL');
  expect(blockwiseTensors(tensor, 'w', (row) => row)).toBeUndefined();
  const { tensor: inBlocks } = await matrix('Q8_0');
  const vector = { ...inBlocks, shape: [inBlocks.shape[1]! * 3] };
  expect(blockwiseTensors(vector, 'w', (row) => row)).toBeUndefined();
});
