import { expect, test } from 'vitest';
import { METRICS, type Metric } from '../../../extension/runs/history-rows.ts';
import { RunHistory } from '../../../media/charts/run-history.ts';
import { figuresOf } from '../../../media/run-panel/figure-rows.ts';

/** A row as `historyRows` makes it. */
function row(step: number, values: Partial<Record<Metric, number>>): readonly number[] {
  return [step, ...METRICS.map((metric) => values[metric] ?? Number.NaN)];
}

function shown(history: RunHistory, metric: Metric): readonly (readonly [number, unknown])[] {
  const index = METRICS.indexOf(metric);
  return figuresOf(history).rows.map(({ step, values }) => [step, values[index]]);
}

test('of a short run every step stands in a row of its own, with what was measured at it', () => {
  const history = new RunHistory();
  history.add(
    Float64Array.from([
      ...row(0, { eval_loss: 8 }),
      ...row(1, { loss: 4 }),
      ...row(5, { loss: 3 }),
      ...row(10, { loss: 2 }),
      ...row(10, { eval_loss: 5 }),
      ...row(12, { eval_loss: 4 }),
      ...row(15, { loss: 1 }),
    ]),
  );
  expect(shown(history, 'eval_loss')).toEqual([
    [0, 8],
    [1, null],
    [5, null],
    [10, 5],
    [12, 4],
    [15, null],
  ]);
  expect(shown(history, 'loss')).toEqual([
    [0, null],
    [1, 4],
    [5, 3],
    [10, 2],
    [12, null],
    [15, 1],
  ]);
  expect(figuresOf(history).measured).toBe(6);
});

test('a run of hundreds of steps is shown whole', () => {
  expect(shown(runOf(300), 'loss')).toHaveLength(300);
});

test('of a long run as many rows as one reads are shown, from the first to the last, and its evaluations', () => {
  const history = runOf(10_000, 777);
  const { rows, measured } = figuresOf(history);
  expect(measured).toBe(10_000);
  expect(rows.length).toBeLessThanOrEqual(313);
  expect([rows[0]?.step, rows.at(-1)?.step]).toEqual([1, 10_000]);
  const steps = rows.map(({ step }) => step);
  expect(steps).toEqual([...steps].sort((one, other) => one - other));
  const evaluated = shown(history, 'eval_loss').filter(([, value]) => value !== null);
  expect(evaluated).toEqual(
    Array.from({ length: 12 }, (_, index) => [777 * (index + 1), 777 * (index + 1)]),
  );
});

test('evaluations of a long run at every step do not fill the window', () => {
  expect(figuresOf(runOf(10_000, 1)).rows).toHaveLength(300);
});

test('a run without a step has no rows', () => {
  expect(figuresOf(new RunHistory())).toEqual({ rows: [], measured: 0 });
});

/** A run whose evaluations, every so many steps, have the number of their step as their loss. */
function runOf(steps: number, evalSteps = Number.POSITIVE_INFINITY): RunHistory {
  const history = new RunHistory();
  const rows = Array.from({ length: steps }, (_, index) => {
    const step = index + 1;
    return row(step, { loss: 1, ...(step % evalSteps === 0 && { eval_loss: step }) });
  });
  history.add(Float64Array.from(rows.flat()));
  return history;
}
