import { expect, test } from 'vitest';
import { raceForLocks } from '../engine/train/contenders/lock-race.ts';
import { withoutHardLinks } from '../engine/train/contenders/without-hard-links.ts';
import { faultCount, faultSeed } from './counts.ts';
import { NO_INTERPOSER } from './interposer/interposer.ts';

/** Long versions of `run-lock.process.test.ts`. */
const ROUNDS = faultCount('RACES', 200);
const PROCESSES = faultCount('PROCESSES', 8);
const SEED = faultSeed();

test.for(['with', 'without'] as const)(
  `${ROUNDS} races of ${PROCESSES} processes for a lock, %s hard links (seed ${SEED})`,
  async (links, { skip }) => {
    if (links === 'without' && NO_INTERPOSER !== undefined) skip(NO_INTERPOSER);
    const env = links === 'with' ? {} : withoutHardLinks();
    const result = await raceForLocks({ rounds: ROUNDS, processes: PROCESSES, seed: SEED, env });
    console.log(links, result);
    expect(result.violations).toEqual([]);
    expect(result.turns).toBeGreaterThanOrEqual(ROUNDS);
  },
);
