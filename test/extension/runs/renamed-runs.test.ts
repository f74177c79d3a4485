import { expect, test } from 'vitest';
import { RenamedRuns } from '../../../extension/runs/renamed-runs.ts';

/** What a workspace remembers after some renames. */
async function renamedRuns(...moves: readonly (readonly [from: string, to: string])[]) {
  let kept: unknown;
  const memory = {
    get: (_: string, initial: unknown) => kept ?? initial,
    update: async (_: string, value: unknown) => {
      kept = value;
    },
  };
  for (const [from, to] of moves) await new RenamedRuns(memory as never).add({ from, to });
  return new RenamedRuns(memory as never);
}

test('a run is found by all names that it had', async () => {
  const runs = await renamedRuns(['/a', '/b'], ['/b', '/c']);
  expect(['/a', '/b', '/c', '/d'].map((name) => runs.folderNow(name))).toEqual([
    '/c',
    '/c',
    '/c',
    '/d',
  ]);
  const back = await renamedRuns(['/a', '/b'], ['/b', '/a']);
  expect([back.folderNow('/a'), back.folderNow('/b')]).toEqual(['/a', '/a']);
});

test('a name that several runs had is that of the latest, and their other names are not', async () => {
  const runs = await renamedRuns(['/x', '/a'], ['/a', '/b'], ['/a', '/c']);
  expect(runs.folderNow('/a')).toBe('/c');
  expect(runs.folderNow('/x')).toBe('/b');
});

test('the latest renames are kept', async () => {
  const moves = Array.from({ length: 60 }, (_, run) => [`/${run}`, `/new-${run}`] as const);
  const runs = await renamedRuns(...moves);
  expect(runs.folderNow('/0')).toBe('/0');
  expect(runs.folderNow('/59')).toBe('/new-59');
});
