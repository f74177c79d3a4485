import { expect, onTestFinished, test } from 'vitest';
import { faultCount } from './counts.ts';
import { describeGrowth, GrowthWatch, WATCHED } from './growth.ts';
import { LiveHeapWatch } from './live-heap.ts';
import { longRun } from './long-run.ts';
import { TinyBench } from './tiny-runs.ts';

/** A run has `LORAFA_FAULTS_STEPS` steps, which are 10,000 if nothing else is said. */
const STEPS = faultCount('STEPS', 10_000);

/** What lives may be so much more after four fifths of a run than after one. */
const HEAP_SHARE = 0.01;

test(`memory, handles and files are flat over ${STEPS} steps`, async () => {
  const bench = await TinyBench.create();
  onTestFinished(() => bench.remove());
  const watch = new GrowthWatch(bench);
  const { summary, texts } = await longRun(bench, STEPS, watch.look);
  const growth = watch.growth(STEPS);
  console.log([`${texts} texts were written meanwhile`, ...growth.map(describeGrowth)].join('\n'));
  expect(summary.status).toMatchObject({ state: 'completed', step: STEPS });
  expect(growth.filter(({ isFlat }) => !isFlat).map(describeGrowth)).toEqual([]);
});

test(`what lives in the heaps of the processes is flat over ${STEPS} steps`, async () => {
  const bench = await TinyBench.create();
  onTestFinished(() => bench.remove());
  const { look, heaps } = new LiveHeapWatch(bench, STEPS, WATCHED);
  const { summary } = await longRun(bench, STEPS, look);
  expect(summary.status).toMatchObject({ state: 'completed', step: STEPS });
  const [early, late] = heaps;
  for (const kind of WATCHED) {
    const [before, after] = [early![kind]!, late![kind]!];
    console.log(`${kind}: ${(before / 1e6).toFixed(2)} MB live → ${(after / 1e6).toFixed(2)} MB`);
    expect(after, kind).toBeLessThan(before * (1 + HEAP_SHARE));
  }
});
