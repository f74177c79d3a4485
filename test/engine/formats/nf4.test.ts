import { describe, expect, test } from 'vitest';
import { dequantizeNf4, NF4_VALUES, nf4Absmax, nf4Codes } from '../../../engine/formats/nf4.ts';
import {
  DYNAMIC_MAP,
  dequantizeAbsmax,
  quantizeAbsmax,
} from '../../../engine/formats/nf4-double.ts';
import { openSafetensors } from '../../../engine/formats/safetensors.ts';
import { readTensor, readTensorRaw } from '../../../engine/formats/tensor-data.ts';
import { goldenPath } from '../../support/golden.ts';

const { tensors } = await openSafetensors(goldenPath('nf4.safetensors'));
const floats = (name: string) => readTensor(tensors.get(name)!);
const bytes = (name: string) => readTensorRaw(tensors.get(name)!);
const bitsOf = (values: Float32Array) =>
  new Uint32Array(values.buffer, values.byteOffset, values.length);

/**
 * `normal`: float32, with a block of zeros. `bounds`: on the bounds between codes and one bit above
 * and below, scaled. `half`, `brain`: stored as F16 and BF16. `odd`: 165 elements. `zero`: 15 zeros.
 */
const WEIGHTS = ['normal', 'bounds', 'half', 'brain', 'odd', 'zero'];

describe('what bitsandbytes makes of weights, bit for bit', () => {
  test.each(WEIGHTS)('%s: magnitudes, codes and values', async (name) => {
    const weights = await floats(name);
    const absmax = nf4Absmax(weights);
    expect(bitsOf(absmax)).toEqual(bitsOf(await floats(`${name}.absmax`)));
    const codes = nf4Codes(weights, absmax);
    expect(codes).toEqual(await bytes(`${name}.codes`));
    const values = dequantizeNf4(codes, absmax, weights.length);
    expect(bitsOf(values)).toEqual(bitsOf(await floats(`${name}.values`)));
  });

  test('the values of both kinds of codes', async () => {
    expect(bitsOf(NF4_VALUES)).toEqual(bitsOf(await floats('nf4')));
    expect(bitsOf(DYNAMIC_MAP)).toEqual(bitsOf(await floats('dynamic_map')));
  });

  test.each(WEIGHTS)('%s: double quantization', async (name) => {
    const quantized = quantizeAbsmax(await floats(`${name}.absmax`));
    const [offset] = await floats(`${name}.offset`);
    // The mean of floats depends on the order in which they are added.
    expect(Math.abs(quantized.offset - offset!)).toBeLessThanOrEqual(2 ** -23 * offset!);
    expect(quantized.codes).toEqual(await bytes(`${name}.absmax_codes`));
    const nested = await floats(`${name}.nested_absmax`);
    nested.forEach((expected, i) => {
      expect(quantized.nested[i]).toBeCloseTo(expected, 6);
    });
    const absmax = dequantizeAbsmax({ ...quantized, nested, offset: offset! });
    const codes = await bytes(`${name}.codes`);
    const expected = await floats(`${name}.nested_values`);
    expect(bitsOf(dequantizeNf4(codes, absmax, expected.length))).toEqual(bitsOf(expected));
  });
});

test('a block that holds NaN has no magnitude', () => {
  const weights = new Float32Array(130).fill(1);
  weights[70] = Number.NaN;
  expect([...nf4Absmax(weights)]).toEqual([1, Number.NaN, 1]);
});
