import { describe, expect, test } from 'vitest';
import { openSafetensors } from '../../../../engine/formats/safetensors.ts';
import { readTensor, readTensorRaw } from '../../../../engine/formats/tensor-data.ts';
import { BLOCK_FORMATS, type GgmlType } from '../../../../engine/gguf/dequantize/formats.ts';
import {
  quantizeQ4_K,
  quantizeQ5_K,
  quantizeQ6_K,
} from '../../../../engine/gguf/quantize/k-quantizers.ts';
import { quantizeQ5_0, quantizeQ5_1 } from '../../../../engine/gguf/quantize/q5-quantizers.ts';
import { goldenPath } from '../../../support/golden.ts';

const { tensors } = await openSafetensors(goldenPath('gguf', 'quantized.safetensors'));
const rows = await readTensor(tensors.get('values')!);
const WIDTH = 256;

function decoded(type: GgmlType, blocks: Uint8Array<ArrayBuffer>): Float32Array {
  const { elements, bytes, dequantize } = BLOCK_FORMATS[type];
  const values = new Float32Array((blocks.length / bytes) * elements);
  dequantize(blocks, values);
  return values;
}

/** Root mean square of what values are away from those that were meant. */
function errorOf(values: Float32Array, from = 0, length = values.length): number {
  let sum = 0;
  for (let i = from; i < from + length; i++) sum += (values[i]! - rows[i]!) ** 2;
  return Math.sqrt(sum / length);
}

describe('a search for scales is no worse than that of ggml', () => {
  test.each([
    ['Q4_K', quantizeQ4_K],
    ['Q5_K', quantizeQ5_K],
    ['Q6_K', quantizeQ6_K],
  ] as const)('%s', async (type, quantize) => {
    const ours = decoded(type, quantize(rows));
    const ggml = decoded(type, await readTensorRaw(tensors.get(`${type}.blocks`)!));
    expect(errorOf(ours)).toBeLessThanOrEqual(1.005 * errorOf(ggml));
    for (let from = 0; from < rows.length; from += WIDTH) {
      // Of one block the rounding of its scales decides, either way.
      const allowed = 1.1 * errorOf(ggml, from, WIDTH) + 1e-9;
      expect(errorOf(ours, from, WIDTH), `row ${from / WIDTH}`).toBeLessThanOrEqual(allowed);
    }
  });
});

test.each([
  ['Q5_0', quantizeQ5_0],
  ['Q5_1', quantizeQ5_1],
] as const)('%s has the bytes that ggml makes', async (type, quantize) => {
  const ggml = await readTensorRaw(tensors.get(`${type}.blocks`)!);
  expect(Buffer.compare(quantize(rows), ggml)).toBe(0);
});

test('zeros stay zeros', () => {
  const zeros = new Float32Array(WIDTH);
  for (const [type, quantize] of [
    ['Q4_K', quantizeQ4_K],
    ['Q5_K', quantizeQ5_K],
    ['Q6_K', quantizeQ6_K],
    ['Q5_0', quantizeQ5_0],
    ['Q5_1', quantizeQ5_1],
  ] as const) {
    expect(
      decoded(type, quantize(zeros)).every((value) => value === 0),
      type,
    ).toBe(true);
  }
});
