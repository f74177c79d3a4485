import { describe, expect, test } from 'vitest';
import {
  bfloat16ToFloat32,
  float16ToFloat32,
  float32ToBfloat16,
  float32ToFloat16,
} from '../../../engine/formats/float16.ts';

const allBits = Uint16Array.from({ length: 0x10000 }, (_, bits) => bits);

/** Rounds by definition: to the nearer of two neighbours, the even one when both are as near. */
function nearest(value: number, bits: number, low: number, high: number): number {
  if (value - low === high - value) return bits + (bits % 2);
  return value - low < high - value ? bits : bits + 1;
}

describe.each([
  ['float16', float16ToFloat32, float32ToFloat16, 0x7c00],
  ['bfloat16', bfloat16ToFloat32, float32ToBfloat16, 0x7f80],
] as const)('%s', (_, widen, narrow, infinity) => {
  const values = widen(allBits);

  test('every value survives the way to float32 and back', () => {
    const back = narrow(values);
    const changed = allBits.filter((bits) => !Number.isNaN(values[bits]) && back[bits] !== bits);
    expect([...changed]).toEqual([]);
  });

  test('a NaN stays a NaN, whatever its bits', () => {
    const patterns = Uint32Array.of(0x7f800001, 0xff800001, 0x7fffffff, 0xffffffff, 0x7fc00000);
    const narrowed = widen(narrow(new Float32Array(patterns.buffer)));
    expect([...narrowed].every(Number.isNaN)).toBe(true);
  });

  test('what lies between two neighbours rounds to the nearest, ties to even', () => {
    const wrong: number[] = [];
    for (const part of [0.25, 0.5, 0.50001, 0.75]) {
      const between = Float32Array.from({ length: infinity - 1 }, (_, bits) => {
        const low = values[bits]!;
        return low + (values[bits + 1]! - low) * part;
      });
      const up = narrow(between);
      const down = narrow(between.map((value) => -value));
      between.forEach((value, bits) => {
        const expected = nearest(value, bits, values[bits]!, values[bits + 1]!);
        if (up[bits] !== expected || down[bits] !== (expected | 0x8000)) wrong.push(value);
      });
    }
    expect(wrong).toEqual([]);
  });

  test('beyond the largest value lies infinity', () => {
    const largest = values[infinity - 1]!;
    const step = largest - values[infinity - 2]!;
    const beyond = Float32Array.of(largest + step / 4, largest + step / 2, 3.4e38, Infinity);
    expect([...narrow(beyond)]).toEqual([
      infinity - 1,
      infinity,
      infinity === 0x7c00 ? infinity : narrow(Float32Array.of(3.4e38))[0],
      infinity,
    ]);
  });
});

test('values that NumPy gives', () => {
  const source = Float32Array.of(1 / 3, 65504, 65519.99, 65520, 5.96e-8, 2.98e-8, 6.1e-5, -0);
  expect([...float32ToFloat16(source)]).toEqual([
    0x3555, 0x7bff, 0x7bff, 0x7c00, 0x0001, 0x0000, 0x03ff, 0x8000,
  ]);
});
