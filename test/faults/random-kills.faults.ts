import { expect, onTestFinished, test } from 'vitest';
import { faultCount, faultSeed } from './counts.ts';
import { RandomKills } from './random-kills.ts';
import { TinyBench, VARIANTS } from './tiny-runs.ts';

/** `LORAFA_FAULTS_KILLS` processes are killed, which are 1,000 if nothing else is said. */
const KILLS = faultCount('KILLS', 1000);
const SEED = faultSeed();

test(`${KILLS} random kills lose nothing (seed ${SEED})`, async () => {
  const bench = await TinyBench.create();
  onTestFinished(() => bench.remove());
  const kills = await RandomKills.prepare(bench, VARIANTS);
  onTestFinished(() => kills.dispose());
  const report = await kills.go(KILLS, SEED, console.error);
  console.log(`${report.runs} runs, killed: ${JSON.stringify(report.kills)}`);
  console.log(`${report.failures.length} failures`);
  expect(report.failures).toEqual([]);
});
