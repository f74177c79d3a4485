import { expect, test } from 'vitest';
import { adapterOf, resultsAmong } from '../../../extension/models/run-results.ts';
import { foundAdapter } from '../../support/found-adapter.ts';

// The newest first.
const ALL = [
  foundAdapter('/stopped/checkpoint-20', { checkpointOf: '/stopped' }),
  foundAdapter('/stopped/checkpoint-10', { checkpointOf: '/stopped' }),
  foundAdapter('/done'),
  foundAdapter('/done/checkpoint-30', { checkpointOf: '/done' }),
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
