import { expect, test } from 'vitest';
import { bfloat16ToFloat32, float32ToBfloat16 } from '../../../engine/formats/float16.ts';
import { requireProduct } from '../../../engine/runtime/device-self-test.ts';

const SIZE = 64;
const CUDA = { kind: 'cuda', index: 0 } as const;
const X = Float32Array.from({ length: SIZE * SIZE }, (_, i) => Math.sin(i));

const rounded = (values: Float32Array): Float32Array =>
  bfloat16ToFloat32(float32ToBfloat16(values));

/** What a GPU promises: factors that are rounded, sums in float32, and those rounded. */
function promised(): Float32Array {
  const x = rounded(X);
  const sums = Float32Array.from({ length: SIZE * SIZE }, (_, at) => {
    const [row, column] = [Math.floor(at / SIZE) * SIZE, (at % SIZE) * SIZE];
    let sum = 0;
    for (let k = 0; k < SIZE; k++) sum = Math.fround(sum + x[row + k]! * x[column + k]!);
    return sum;
  });
  return rounded(sums);
}

test('a device that rounds as it promises multiplies rightly', () => {
  requireProduct(X, promised(), CUDA);
});

test('one that is off by a unit does not, nor one that gives no numbers', () => {
  const wrong = promised();
  wrong[65] = wrong[65]! + 0.25;
  expect(() => requireProduct(X, wrong, CUDA)).toThrow('cuda:0 multiplies wrongly');
  expect(() => requireProduct(X, wrong.fill(Number.NaN), CUDA)).toThrow('was off by NaN');
});
