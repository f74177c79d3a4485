import { expect, onTestFinished, test } from 'vitest';
import { faultCount, faultSeed } from './counts.ts';
import { RandomKills } from './random-kills.ts';
import { TinyBench } from './tiny-runs.ts';

/** The short version of `random-kills.faults.ts`. */
const SEED = faultSeed();

test(`a dozen random kills lose nothing (seed ${SEED})`, { timeout: 300_000 }, async () => {
  const bench = await TinyBench.create();
  onTestFinished(() => bench.remove());
  const kills = await RandomKills.prepare(bench, ['nf4']);
  onTestFinished(() => kills.dispose());
  const { failures } = await kills.go(faultCount('KILLS', 12), SEED, console.error);
  expect(failures).toEqual([]);
});
