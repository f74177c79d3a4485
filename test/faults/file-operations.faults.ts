import os from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { faultCount } from './counts.ts';
import { DisturbedRuns } from './disturbed-runs.ts';
import { DISTURBANCES, disturbEach, formatRows, type Row } from './every-operation.ts';
import { NO_INTERPOSER } from './interposer/interposer.ts';
import { SCENES } from './scenes.ts';

/*
 * Every file operation of a run fails once, in every way: the run is resumed and must come to the
 * same result with nothing left behind. LORAFA_FAULTS_STRIDE=10 takes every tenth operation.
 */

const stride = faultCount('STRIDE', 1);

describe.skipIf(NO_INTERPOSER !== undefined)(`on Linux (${NO_INTERPOSER ?? 'here'})`, () => {
  let runs: DisturbedRuns;

  beforeAll(async () => {
    runs = await DisturbedRuns.create();
  }, 60_000);

  afterAll(() => runs.remove());

  test.each(SCENES)('$name', async (scene) => {
    const stage = await runs.prepare(scene);
    const parallel = os.availableParallelism();
    const rows: Row[] = [];
    for (const disturbance of DISTURBANCES) {
      rows.push(await disturbEach(runs, stage, disturbance, { first: 1, stride, parallel }));
    }
    console.log(formatRows(rows));
    expect(rows.flatMap(({ failures }) => failures)).toEqual([]);
  });
});
