import { expect, test } from 'vitest';
import { adapterTree, neighbourOf } from '../../../extension/models/adapter-tree.ts';
import { foundAdapter as adapter } from '../../support/found-adapter.ts';

const FOUND = [
  adapter('/done/checkpoint-9', { checkpointOf: '/done' }),
  adapter('/early/checkpoint-9', { checkpointOf: '/early' }),
  adapter('/done'),
  adapter('/early/checkpoint-10', { checkpointOf: '/early', problem: 'damaged' }),
  adapter('/done/checkpoint-10', { checkpointOf: '/done' }),
  adapter('/others'),
];

test('checkpoints stand under their adapter or run, the newest first', () => {
  const tree = adapterTree(FOUND).map(({ name, adapter: own, checkpoints }) => [
    name,
    own?.path ?? null,
    checkpoints.map(({ path }) => path),
  ]);
  expect(tree).toEqual([
    ['done', '/done', ['/done/checkpoint-10', '/done/checkpoint-9']],
    ['early', null, ['/early/checkpoint-10', '/early/checkpoint-9']],
    ['others', '/others', []],
  ]);
});

test('who has the same name as another one is told apart', () => {
  const tree = adapterTree([adapter('/runs/first'), adapter('/exports/first'), adapter('/mine')]);
  expect(tree.map(({ hasNamesake }) => hasNamesake)).toEqual([true, true, false]);
});

test.each([
  ['/done', '/early'],
  ['/others', '/early'],
  ['/early/checkpoint-10', '/early/checkpoint-9'],
  ['/early/checkpoint-9', '/early/checkpoint-10'],
  ['/unknown', undefined],
])('when %s goes, its neighbour is %s', (folder, neighbour) => {
  expect(neighbourOf(adapterTree(FOUND), folder)).toBe(neighbour);
});

test('when the only checkpoint goes, what it stood below is selected', () => {
  const only = adapter('/done/checkpoint-9', { checkpointOf: '/done' });
  expect(neighbourOf(adapterTree([adapter('/done'), only]), only.path)).toBe('/done');
});
