import type { MetricRow } from '../../../server/runs/run-metrics.ts';
import type { LineChart } from '../line-chart.ts';

/** What was measured in a run, step by step. */
export interface LearnedRun {
  readonly name: string;
  readonly rows: readonly MetricRow[];
}

type Column = 'loss' | 'grad_norm';

/** Loss and norm of the gradients of each run, over the steps. */
export function runCharts(runs: readonly LearnedRun[]): readonly LineChart[] {
  const chart = (title: string, column: Column): LineChart => ({
    title,
    xLabel: 'step',
    series: runs.map((run) => ({
      name: run.name,
      points: [...valuesOf(run, column)].map(([x, y]) => ({ x, y })),
    })),
  });
  return [chart('training loss', 'loss'), chart('norm of the gradients', 'grad_norm')];
}

/**
 * The largest difference of two runs at a step.
 *
 * @throws Error where a step of one is not a step of the other
 */
export function furthestApart(one: LearnedRun, other: LearnedRun, column: Column): number {
  const [a, b] = [valuesOf(one, column), valuesOf(other, column)];
  const steps = new Set([...a.keys(), ...b.keys()]);
  const differences = [...steps].map((step) => Math.abs(a.get(step)! - b.get(step)!));
  if (differences.some(Number.isNaN)) {
    throw new Error(
      `${one.name} and ${other.name} have other steps; compare runs as long as each other`,
    );
  }
  return Math.max(...differences);
}

function valuesOf({ rows }: LearnedRun, column: Column): ReadonlyMap<number, number> {
  const measured = rows.filter((row) => typeof row[column] === 'number');
  return new Map(measured.map((row) => [Number(row.step), Number(row[column])]));
}
