import { expect, test } from 'vitest';
import { METRICS, type Metric } from '../../../extension/runs/history-rows.ts';
import { RunHistory } from '../../../media/charts/run-history.ts';

function rows(...list: readonly (readonly [number, Partial<Record<Metric, number>>])[]) {
  return Float64Array.from(
    list.flatMap(([step, values]) => [
      step,
      ...METRICS.map((metric) => values[metric] ?? Number.NaN),
    ]),
  );
}

function curve(history: RunHistory, metric: Metric): (readonly [number, number])[] {
  const { x, y } = history.points(metric);
  return [...x].map((step, index) => [step, y[index]!] as const);
}

test('curves grow with the rows, each by its own steps', () => {
  const history = new RunHistory();
  history.add(rows([1, { loss: 3 }], [2, { loss: 2 }], [2, { eval_loss: 2.5 }]));
  history.add(rows([3, { loss: 1 }]));
  expect(curve(history, 'loss')).toEqual([
    [1, 3],
    [2, 2],
    [3, 1],
  ]);
  expect(curve(history, 'eval_loss')).toEqual([[2, 2.5]]);
  expect(history.lastStep).toBe(3);
});

test('a session that resumes drops what an earlier one did beyond its checkpoint', () => {
  const history = new RunHistory();
  history.add(rows([1, { loss: 4 }], [2, { loss: 3 }], [3, { loss: 2 }], [3, { eval_loss: 2 }]));
  history.add(rows([2, {}]));
  expect(curve(history, 'loss')).toEqual([
    [1, 4],
    [2, 3],
  ]);
  expect(curve(history, 'eval_loss')).toEqual([]);
  history.add(rows([3, { loss: 1 }], [3, { eval_loss: 1 }]));
  expect(curve(history, 'loss').at(-1)).toEqual([3, 1]);
  expect(curve(history, 'eval_loss')).toEqual([[3, 1]]);
});

test('it can begin anew and hold many points', () => {
  const history = new RunHistory();
  history.add(rows([1, { loss: 1 }]));
  history.clear();
  expect(history.lastStep).toBe(0);
  for (let step = 1; step <= 5000; step += 1) history.add(rows([step, { loss: step / 2 }]));
  expect(curve(history, 'loss').at(-1)).toEqual([5000, 2500]);
  expect(history.points('loss').x).toHaveLength(5000);
});
