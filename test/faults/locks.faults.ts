import { expect, test } from 'vitest';
import { raceForLocks } from '../engine/train/contenders/lock-race.ts';

/** Long versions of `run-lock.process.test.ts`. */
const ROUNDS = Number(process.env['LORAFA_LOCK_RACES'] ?? 200);
const PROCESSES = Number(process.env['LORAFA_LOCK_PROCESSES'] ?? 8);
const SEED = Number(process.env['LORAFA_SEED'] ?? 1);

test(`${ROUNDS} races of ${PROCESSES} processes for a lock (seed ${SEED})`, async () => {
  const result = await raceForLocks({ rounds: ROUNDS, processes: PROCESSES, seed: SEED });
  console.log(result);
  expect(result.violations).toEqual([]);
  expect(result.turns).toBeGreaterThanOrEqual(ROUNDS);
});
