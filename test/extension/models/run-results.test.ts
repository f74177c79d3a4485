import { expect, test } from 'vitest';
import type { UsableAdapter } from '../../../extension/models/model-catalog.ts';
import { adapterOf, resultsAmong } from '../../../extension/models/run-results.ts';

function adapter(path: string, checkpointOf: string | null = null): UsableAdapter {
  return {
    ...{ path, name: path, baseModel: null, rank: 8, quantization: null, model: null },
    ...{ checkpointOf, modified: '2026-01-01T00:00:00Z', problem: null },
  };
}

// The newest first.
const ALL = [
  adapter('/stopped/checkpoint-20', '/stopped'),
  adapter('/stopped/checkpoint-10', '/stopped'),
  adapter('/done'),
  adapter('/done/checkpoint-30', '/done'),
];

test('a run that was stopped has come to its newest checkpoint, any other to its adapter', () => {
  expect(resultsAmong(ALL).map(({ path }) => path)).toEqual(['/stopped/checkpoint-20', '/done']);
});

test('the folder of a run stands for what it has come to', () => {
  expect(adapterOf('/stopped', ALL)?.path).toBe('/stopped/checkpoint-20');
  expect(adapterOf('/done', ALL)?.path).toBe('/done');
  expect(adapterOf('/stopped/checkpoint-10', ALL)?.path).toBe('/stopped/checkpoint-10');
  expect(adapterOf('/gone', ALL)).toBeUndefined();
});

test('a checkpoint that is damaged stands for nothing', () => {
  const damaged = { ...ALL[0]!, problem: 'it is damaged' };
  expect(adapterOf('/stopped', [damaged, ...ALL.slice(1)])?.path).toBe('/stopped/checkpoint-10');
});
