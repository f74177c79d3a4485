import { expect, onTestFinished, test } from 'vitest';
import { faultCount } from './counts.ts';
import { describeGrowth } from './growth.ts';
import { longRun } from './long-run.ts';
import { TinyBench } from './tiny-runs.ts';

/** The run has `LORAFA_FAULTS_STEPS` steps, which are 10,000 if nothing else is said. */
const STEPS = faultCount('STEPS', 10_000);

test(`memory, handles and files are flat over ${STEPS} steps`, async () => {
  const bench = await TinyBench.create();
  onTestFinished(() => bench.remove());
  const { summary, texts, growth } = await longRun(bench, STEPS);
  console.log([`${texts} texts were written meanwhile`, ...growth.map(describeGrowth)].join('\n'));
  expect(summary.status).toMatchObject({ state: 'completed', step: STEPS });
  expect(growth.filter(({ isFlat }) => !isFlat).map(describeGrowth)).toEqual([]);
});
