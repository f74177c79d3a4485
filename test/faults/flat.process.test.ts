import { expect, onTestFinished, test } from 'vitest';
import { describeGrowth } from './growth.ts';
import { longRun } from './long-run.ts';
import { TinyBench } from './tiny-runs.ts';

/** The short version of `flat.faults.ts`: too short for memory, whose garbage is not collected yet. */
const STEPS = 300;

test(`handles and files are flat over ${STEPS} steps`, { timeout: 120_000 }, async () => {
  const bench = await TinyBench.create();
  onTestFinished(() => bench.remove());
  const { summary, texts, growth } = await longRun(bench, STEPS);
  expect(summary.status).toMatchObject({ state: 'completed', step: STEPS });
  expect(texts).toBeGreaterThan(5);
  const counts = growth.filter(({ name }) => !name.includes('memory'));
  expect(counts.map(({ name }) => name)).toEqual([
    'cache folder: files',
    ...['computing', 'generator'].map((kind) => `${kind}: handles`),
    ...['registry', 'run folder'].map((folder) => `${folder}: files`),
    'server: handles',
    'temporary folder: files',
    'trainer: handles',
  ]);
  expect(counts.filter(({ isFlat }) => !isFlat).map(describeGrowth)).toEqual([]);
});
