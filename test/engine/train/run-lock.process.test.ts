import { expect, test } from 'vitest';
import { NO_INTERPOSER } from '../../faults/interposer/interposer.ts';
import { raceForLocks } from './contenders/lock-race.ts';
import { withoutHardLinks } from './contenders/without-hard-links.ts';

test('of many processes one has the lock at a time, and each gets it, whoever is killed', async () => {
  const { violations, turns } = await raceForLocks({ rounds: 12, processes: 5, seed: 1 });
  expect(violations).toEqual([]);
  expect(turns).toBeGreaterThanOrEqual(12);
}, 120_000);

test.skipIf(NO_INTERPOSER)(
  'the same where the file system has no hard links',
  async () => {
    const env = withoutHardLinks();
    const { violations, turns } = await raceForLocks({ rounds: 6, processes: 5, seed: 2, env });
    expect(violations).toEqual([]);
    expect(turns).toBeGreaterThanOrEqual(6);
  },
  120_000,
);
