import { readFileSync } from 'node:fs';
import path from 'node:path';
import { openSafetensors } from '../../engine/formats/safetensors.ts';
import { readTensor } from '../../engine/formats/tensor-data.ts';

/** `npm run verify-architecture` compares with a model of its own. */
const GOLDEN =
  process.env['LORAFA_GOLDEN'] ?? path.join(import.meta.dirname, '../reference/golden');

/** Path of something that `test/reference/make_golden.py` made. */
export function goldenPath(...parts: string[]): string {
  return path.join(GOLDEN, ...parts);
}

export function goldenJson<T>(...parts: string[]): T {
  return JSON.parse(readFileSync(goldenPath(...parts), 'utf8')) as T;
}

/** All tensors of a golden safetensors file as numbers, by name. */
export async function goldenTensors(...parts: string[]): Promise<Map<string, GoldenTensor>> {
  const { tensors } = await openSafetensors(goldenPath(...parts));
  const entries = [...tensors.values()].map(async (location): Promise<[string, GoldenTensor]> => {
    const data =
      location.dtype === 'I64' ? readIntegers(location.file, location) : await readTensor(location);
    return [location.name, { data, shape: location.shape }];
  });
  return new Map(await Promise.all(entries));
}

export interface GoldenTensor {
  readonly data: ArrayLike<number>;
  readonly shape: readonly number[];
}

function readIntegers(file: string, { offset, length }: { offset: number; length: number }) {
  const bytes = readFileSync(file).subarray(offset, offset + length);
  return Array.from({ length: length / 8 }, (_, i) => Number(bytes.readBigInt64LE(8 * i)));
}

/** Largest absolute difference relative to the largest expected magnitude. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  let difference = 0;
  let magnitude = 1e-12;
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(actual[i]! - expected[i]!);
    if (Number.isNaN(error)) return Number.POSITIVE_INFINITY;
    difference = Math.max(difference, error);
    magnitude = Math.max(magnitude, Math.abs(expected[i]!));
  }
  return difference / magnitude;
}
