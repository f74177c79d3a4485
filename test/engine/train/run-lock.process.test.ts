import { expect, test } from 'vitest';
import { raceForLocks } from './contenders/lock-race.ts';

test('of many processes one has the lock at a time, and each gets it, whoever is killed', async () => {
  const { violations, turns } = await raceForLocks({ rounds: 12, processes: 5, seed: 1 });
  expect(violations).toEqual([]);
  expect(turns).toBeGreaterThanOrEqual(12);
});
