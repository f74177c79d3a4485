import { describe, expect, test } from 'vitest';
import { permutation, philox4x32, Random } from '../../engine/random.ts';

describe('philox4x32', () => {
  // The known answers that come with the authors' Random123 library.
  test.each([
    [
      [0, 0, 0, 0],
      [0, 0],
      [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    ],
    [
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    ],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ] as const)('known answer %#', (counter, key, expected) => {
    expect(philox4x32(counter, key)).toEqual(expected);
  });
});

describe('Random', () => {
  test('any position is reached at once', () => {
    const whole = new Random(42, 7);
    const values = Array.from({ length: 23 }, () => whole.uint32());
    for (const start of [0, 1, 4, 11, 22]) {
      const resumed = new Random(42, 7);
      resumed.position = start;
      expect(Array.from({ length: 23 - start }, () => resumed.uint32())).toEqual(
        values.slice(start),
      );
    }
  });

  test('seeds and streams are independent, also seeds above 32 bits', () => {
    const first = (seed: number, stream: number): number => new Random(seed, stream).uint32();
    const all = [first(1, 0), first(2, 0), first(1, 1), first(1 + 2 ** 32, 0)];
    expect(new Set(all).size).toBe(4);
  });

  test('uniform and normal have the right moments', () => {
    const random = new Random(3);
    const count = 20_000;
    const uniforms = Array.from({ length: count }, () => random.uniform());
    const normals = Array.from({ length: count }, () => random.normal());
    const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / count;
    expect(uniforms.every((value) => value >= 0 && value < 1)).toBe(true);
    expect(mean(uniforms)).toBeCloseTo(0.5, 1);
    expect(mean(normals)).toBeCloseTo(0, 1);
    expect(mean(normals.map((value) => value * value))).toBeCloseTo(1, 1);
  });

  test('below is uniform and in range', () => {
    const random = new Random(9);
    const counts = [0, 0, 0];
    for (let i = 0; i < 3000; i++) counts[random.below(3)]! += 1;
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(120);
  });
});

test('a permutation holds every index once and depends on the seed', () => {
  const order = permutation(100, new Random(1, 0));
  expect([...order].toSorted((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i));
  expect(order).toEqual(permutation(100, new Random(1, 0)));
  expect(order).not.toEqual(permutation(100, new Random(1, 1)));
});
