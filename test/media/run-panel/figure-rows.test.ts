import { expect, test } from 'vitest';
import { METRICS, type Metric } from '../../../extension/runs/history-rows.ts';
import { RunHistory } from '../../../media/charts/run-history.ts';
import { figureRows } from '../../../media/run-panel/figure-rows.ts';

/** A row as `historyRows` makes it. */
function row(step: number, values: Partial<Record<Metric, number>>): readonly number[] {
  return [step, ...METRICS.map((metric) => values[metric] ?? Number.NaN)];
}

function shown(history: RunHistory, metric: Metric): readonly (readonly [number, unknown])[] {
  const index = METRICS.indexOf(metric);
  return figureRows(history).map(({ step, values }) => [step, values[index]]);
}

test('an evaluation stands in the row that it was made by, and in no later one', () => {
  const history = new RunHistory();
  history.add(
    Float64Array.from([
      ...row(0, { eval_loss: 8 }),
      ...row(5, { loss: 3 }),
      ...row(10, { loss: 2 }),
      ...row(12, { eval_loss: 4 }),
      ...row(15, { loss: 1 }),
      ...row(20, { loss: 0.5 }),
    ]),
  );
  expect(shown(history, 'eval_loss')).toEqual([
    [0, 8],
    [5, undefined],
    [10, undefined],
    [15, 4],
    [20, undefined],
  ]);
  expect(shown(history, 'loss')).toEqual([
    [0, undefined],
    [5, 3],
    [10, 2],
    [15, 1],
    [20, 0.5],
  ]);
});

test('of a long run there are as many rows as one reads, to its end', () => {
  const history = new RunHistory();
  const steps = Array.from({ length: 1000 }, (_, index) => row(index + 1, { loss: 1 }));
  history.add(Float64Array.from(steps.flat()));
  const rows = figureRows(history);
  expect(rows).toHaveLength(20);
  expect(rows.at(-1)?.step).toBe(1000);
});

test('a run without a step has no rows', () => {
  expect(figureRows(new RunHistory())).toEqual([]);
});
