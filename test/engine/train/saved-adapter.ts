import path from 'node:path';
import { expect } from 'vitest';
import { openSafetensors } from '../../../engine/formats/safetensors.ts';
import { readTensor } from '../../../engine/formats/tensor-data.ts';
import { relativeError } from '../../support/golden.ts';

/** The tensors of an adapter by their names in the file. */
export async function savedAdapter(folder: string): Promise<ReadonlyMap<string, Float32Array>> {
  const { tensors } = await openSafetensors(path.join(folder, 'adapter_model.safetensors'));
  const entries = [...tensors.values()].map(
    async (location) => [location.name, await readTensor(location)] as const,
  );
  return new Map(await Promise.all(entries));
}

/** Makes sure that the adapter of a folder is nearly another one. */
export async function expectAdapter(
  folder: string,
  expected: ReadonlyMap<string, Float32Array>,
  tolerance: number,
): Promise<void> {
  const actual = await savedAdapter(folder);
  expect([...actual.keys()].sort()).toEqual([...expected.keys()].sort());
  for (const [name, values] of actual) {
    expect(relativeError(values, expected.get(name)!), name).toBeLessThan(tolerance);
  }
}
