import { expect, test } from 'vitest';
import type { MetricRow } from '../../../server/runs/run-metrics.ts';
import { furthestApart, type LearnedRun, runCharts } from './run-charts.ts';

const run = (name: string, losses: readonly (number | null)[]): LearnedRun => ({
  name,
  rows: losses.map((loss, i) => ({ step: i + 1, loss, grad_norm: 1 }) as unknown as MetricRow),
});

test('each run is a line of each chart, without the steps at which nothing was measured', () => {
  const [loss, norm] = runCharts([run('a', [2, null, 1]), run('b', [2, 1.5, 1])]);
  expect(loss!.series).toEqual([
    {
      name: 'a',
      points: [
        { x: 1, y: 2 },
        { x: 3, y: 1 },
      ],
    },
    {
      name: 'b',
      points: [
        { x: 1, y: 2 },
        { x: 2, y: 1.5 },
        { x: 3, y: 1 },
      ],
    },
  ]);
  expect(norm!.series.map(({ points }) => points.length)).toEqual([3, 3]);
});

test('runs differ by their largest difference at a step, and must have the same ones', () => {
  expect(furthestApart(run('a', [2, 1]), run('b', [2.5, 1.25]), 'loss')).toBe(0.5);
  expect(() => furthestApart(run('a', [2, 1]), run('b', [2]), 'loss')).toThrow('other steps');
});
