import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DisturbedRuns } from './disturbed-runs.ts';
import { DISTURBANCES, disturbEach, type Row } from './every-operation.ts';
import { NO_INTERPOSER } from './interposer/interposer.ts';
import { commandLine } from './run-programs.ts';
import { CACHE_SCENE, savingConfig } from './scenes.ts';

/*
 * Some of the operations that `file-operations.faults.ts` lets fail: after a kill, an error or a
 * short write a run is resumed, comes to the same result, and leaves nothing behind.
 */

describe.skipIf(NO_INTERPOSER !== undefined)(`disturbed (${NO_INTERPOSER ?? 'on Linux'})`, () => {
  let runs: DisturbedRuns;

  beforeAll(async () => {
    runs = await DisturbedRuns.create();
  }, 60_000);

  afterAll(() => runs.remove());

  test('a run with checkpoints', async () => {
    const config = savingConfig(1, { steps: 2 });
    const scene = { name: 'short', program: commandLine, place: 'run', config } as const;
    const stage = await runs.prepare(scene);
    const rows: Row[] = [];
    for (const [index, disturbance] of DISTURBANCES.entries()) {
      const stride = disturbance.kind.startsWith('short') ? 12 : 45;
      const choice = { first: 3 + 4 * index, stride, count: 2, parallel: 2 };
      rows.push(await disturbEach(runs, stage, disturbance, choice));
    }
    expect(rows.flatMap(({ failures }) => failures)).toEqual([]);
    expect(rows.map(({ attempts }) => attempts)).toEqual(DISTURBANCES.map(() => 2));
  }, 120_000);

  test('the making of weights', async () => {
    const stage = await runs.prepare(CACHE_SCENE);
    const attempts = (['kill', 'ENOSPC'] as const).map((kind) =>
      runs.attempt(stage, { kind, at: 20 }),
    );
    for (const { operation, problems } of await Promise.all(attempts)) {
      expect(operation).toContain('nf4');
      expect(problems).toEqual([]);
    }
  });
});
