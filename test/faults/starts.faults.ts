import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { Random } from '../../engine/random.ts';
import { readLock } from '../../engine/train/run-lock.ts';
import { listenLocally } from '../../server/rpc/local-socket.ts';
import { ownSocketFolder } from '../../server/rpc/socket-folder.ts';
import { readStateFile } from '../../server/trainer/state-file.ts';
import { startAndDie, startAndGiveUp } from '../server/runs/given-up-starts.ts';
import { useRealRuns } from '../server/runs/real-runs.ts';
import { bundledProgram } from '../support/bundled-program.ts';
import { faultCount, faultSeed } from './counts.ts';

/** Long versions of `given-up-starts.process.test.ts` and of the kill in `real-runs.process.test.ts`. */
const STARTS = faultCount('STARTS', 100);
const KILLS = faultCount('TRAINER_KILLS', 30);
const SEED = faultSeed();

/** Within this time a start has come to its end, of whatever kind. */
const LONGEST_START_MS = 1500;

const runs = useRealRuns();

test(`${STARTS} starts that are given up at any moment (seed ${SEED})`, async () => {
  const random = new Random(SEED);
  const ends = { 'given up': 0, started: 0 };
  for (let count = 0; count < STARTS; count++) {
    ends[await startAndGiveUp(runs(), random.below(LONGEST_START_MS))] += 1;
  }
  console.log(ends);
  expect(ends['given up']).toBeGreaterThan(0);
});

test(`${STARTS} starts whose starter is killed at any moment (seed ${SEED})`, async () => {
  const starter = path.join(import.meta.dirname, '../server/runs/starters/starter.ts');
  const script = await bundledProgram(starter);
  const random = new Random(SEED, 1);
  const ends = { 'given up': 0, started: 0 };
  for (let count = 0; count < STARTS; count++) {
    ends[await startAndDie(runs(), script, 2 * random.uniform() * LONGEST_START_MS)] += 1;
  }
  console.log(ends);
  expect(ends['given up']).toBeGreaterThan(0);
});

test(`${KILLS} trainers that are killed leave no socket after the next start`, async () => {
  const names: string[] = [];
  for (let count = 0; count < KILLS; count++) {
    const observed = runs().observe();
    const folder = await runs().startEndless(observed);
    names.push((await readStateFile(folder))!.address!);
    process.kill((await readLock(folder))!.pid, 'SIGKILL');
    await observed.untilRun(folder, ({ isLive }) => !isLive);
    observed.manager.dispose();
  }
  const server = await listenLocally(() => undefined);
  const left = await readdir(await ownSocketFolder());
  await server.close();
  expect(names.filter((name) => left.includes(name))).toEqual([]);
});
