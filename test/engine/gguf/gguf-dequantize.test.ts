import { describe, expect, test } from 'vitest';
import { openSafetensors } from '../../../engine/formats/safetensors.ts';
import { readTensor, readTensorRaw } from '../../../engine/formats/tensor-data.ts';
import { BLOCK_LAYOUTS, type GgmlType } from '../../../engine/gguf/gguf.ts';
import { dequantize } from '../../../engine/gguf/gguf-dequantize.ts';
import { goldenPath } from '../../support/golden.ts';

const { tensors } = await openSafetensors(goldenPath('gguf', 'quants.safetensors'));

describe('blocks become the values that the Python package gguf makes of them', () => {
  const types = Object.keys(BLOCK_LAYOUTS) as GgmlType[];
  const quantized = types.filter((type) => BLOCK_LAYOUTS[type].elements > 1);

  test.each(quantized)('%s, bit for bit', async (type) => {
    const blocks = await readTensorRaw(tensors.get(`${type}.blocks`)!);
    const expected = await readTensor(tensors.get(`${type}.values`)!);
    const actual = new Float32Array(expected.length);
    dequantize(type, blocks, actual);
    expect(new Uint32Array(actual.buffer)).toEqual(new Uint32Array(expected.buffer));
  });
});

test('types that are not quantized are widened', () => {
  const widened = (type: GgmlType, bytes: ArrayBuffer) => {
    const target = new Float32Array(2);
    dequantize(type, new Uint8Array(bytes), target);
    return [...target];
  };
  expect(widened('F32', Float32Array.of(1.5, -2).buffer)).toEqual([1.5, -2]);
  expect(widened('F16', Uint16Array.of(0x3e00, 0xc000).buffer)).toEqual([1.5, -2]);
  expect(widened('BF16', Uint16Array.of(0x3fc0, 0xc000).buffer)).toEqual([1.5, -2]);
});
