import { expect, onTestFinished, test } from 'vitest';
import { describeGrowth, GrowthWatch } from './growth.ts';
import { longRun } from './long-run.ts';
import { TinyBench } from './tiny-runs.ts';

/** The short version of `flat.faults.ts`: too short for memory, whose garbage is not collected yet. */
const STEPS = 900;

test(`handles and files are flat over ${STEPS} steps`, { timeout: 120_000 }, async () => {
  const bench = await TinyBench.create();
  onTestFinished(() => bench.remove());
  const watch = new GrowthWatch(bench);
  const { summary, texts } = await longRun(bench, STEPS, watch.look);
  expect(summary.status).toMatchObject({ state: 'completed', step: STEPS });
  expect(texts).toBeGreaterThan(5);
  const counts = watch.growth(STEPS).filter(({ name }) => !name.includes('memory'));
  expect(counts.map(({ name }) => name)).toEqual([
    'cache: files',
    ...['computing', 'generator'].map((kind) => `${kind}: handles`),
    'registry: files',
    'server: handles',
    'temporary: files',
    'trainer: handles',
    'workspace: files',
  ]);
  expect(counts.filter(({ isFlat }) => !isFlat).map(describeGrowth)).toEqual([]);
});
