import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { openSafetensors } from '../../../../engine/formats/safetensors.ts';
import { readTensor, readTensorRaw } from '../../../../engine/formats/tensor-data.ts';
import { BLOCK_FORMATS, type GgmlType } from '../../../../engine/gguf/dequantize/formats.ts';
import { goldenPath } from '../../../support/golden.ts';

const { tensors } = await openSafetensors(goldenPath('gguf', 'quants.safetensors'));
const TYPES = Object.keys(BLOCK_FORMATS) as GgmlType[];

/** How the golden file tells the values of a block. */
function digestOf(values: Float32Array): string {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return createHash('sha256').update(bytes).digest('hex').slice(0, 16);
}

describe('blocks become the values that the Python package gguf makes of them, bit for bit', () => {
  test.each(TYPES.filter((type) => BLOCK_FORMATS[type].elements > 1))('%s', async (type) => {
    const { elements, bytes, dequantize } = BLOCK_FORMATS[type];
    const blocks = tensors.get(`${type}.blocks`)!;
    expect(blocks.shape[1]).toBe(bytes);
    const values = new Float32Array(blocks.shape[0]! * elements);
    dequantize(await readTensorRaw(blocks), values);

    const first = await readTensor(tensors.get(`${type}.values`)!);
    const beginning = values.slice(0, first.length);
    expect(new Uint32Array(beginning.buffer)).toEqual(new Uint32Array(first.buffer));
    const digests = Buffer.from(await readTensorRaw(tensors.get(`${type}.digests`)!));
    for (let block = 0; block < blocks.shape[0]!; block++) {
      const actual = values.subarray(block * elements, (block + 1) * elements);
      const expected = digests.toString('hex', block * 8, block * 8 + 8);
      expect(digestOf(actual), `block ${block}`).toBe(expected);
    }
  });
});

test('types that are not quantized are widened', () => {
  const widened = (type: GgmlType, bytes: ArrayBuffer) => {
    const target = new Float32Array(2);
    BLOCK_FORMATS[type].dequantize(new Uint8Array(bytes), target);
    return [...target];
  };
  expect(widened('F32', Float32Array.of(1.5, -2).buffer)).toEqual([1.5, -2]);
  expect(widened('F16', Uint16Array.of(0x3e00, 0xc000).buffer)).toEqual([1.5, -2]);
  expect(widened('BF16', Uint16Array.of(0x3fc0, 0xc000).buffer)).toEqual([1.5, -2]);
});
