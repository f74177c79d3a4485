import { expect, test } from 'vitest';
import { align } from '../../../media/charts/align.ts';
import { downSample } from '../../../media/charts/down-sample.ts';
import { bestEvaluation, lowestPoint } from '../../../media/charts/lowest-point.ts';
import { nearest } from '../../../media/charts/nearest.ts';
import type { Points } from '../../../media/charts/run-history.ts';
import { smooth } from '../../../media/charts/smoothing.ts';

const { NaN: none } = Number;

function points(...list: readonly (readonly [number, number])[]): Points {
  return {
    x: Float64Array.from(list, ([x]) => x),
    y: Float64Array.from(list, ([, y]) => y),
  };
}

/** Deterministic noise between 0 and 1. */
function noise(index: number): number {
  return (Math.sin(index * 12.9898) * 43758.5453) % 1;
}

test('smoothing keeps a constant and follows a jump slowly, once there are many values', () => {
  expect([...smooth(Float64Array.of(2, 2, 2), 0.9)].map((y) => y.toFixed(9))).toEqual([
    '2.000000000',
    '2.000000000',
    '2.000000000',
  ]);
  const jump = smooth(
    Float64Array.from({ length: 100 }, (_, index) => (index < 99 ? 1 : 0)),
    0.9,
  );
  expect(jump[99]).toBeCloseTo(0.9, 12);
  expect([...smooth(Float64Array.of(3, 1, 2), 0)]).toEqual([3, 1, 2]);
});

test('smoothing is true of a short run: it ends where the values do', () => {
  expect([...smooth(Float64Array.of(7), 0.9)]).toEqual([7]);
  const falling = Float64Array.from({ length: 20 }, (_, index) => 4 * 0.8 ** index);
  expect(smooth(falling, 0.9).at(-1)! - falling.at(-1)!).toBeLessThan(0.1);
  // A plain average of all of them would be far above.
  expect(falling.reduce((sum, y) => sum + y) / 20).toBeGreaterThan(0.9);
});

test('smoothing passes over values that are no number', () => {
  expect([...smooth(Float64Array.of(none, 4, none, 4), 0.5)]).toEqual([none, 4, 4, 4]);
});

test('down-sampling keeps the lowest and the highest value of every pixel column', () => {
  const count = 100_000;
  const columns = 500;
  const x = Float64Array.from({ length: count }, (_, index) => index);
  const y = Float64Array.from({ length: count }, (_, index) => noise(index));
  y[54_321] = 100;
  y[12_345] = -100;
  const sampled = downSample({ x, y }, 0, count, columns);
  expect(sampled.x.length).toBeLessThanOrEqual(2 * columns + 8);
  expect([...sampled.x]).toEqual([...sampled.x].toSorted((a, b) => a - b));
  const perColumn = count / columns;
  for (let column = 0; column < columns; column += 1) {
    const all = y.subarray(column * perColumn, (column + 1) * perColumn);
    const kept = [...sampled.y].filter((_, index) => {
      return Math.floor(sampled.x[index]! / perColumn) === column;
    });
    expect(Math.max(...kept)).toBe(Math.max(...all));
    expect(Math.min(...kept)).toBe(Math.min(...all));
  }
});

test('down-sampling a part keeps its neighbours, and leaves few points alone', () => {
  const all = points([0, 1], [10, 2], [20, 3], [30, 4], [40, 5]);
  expect(downSample(all, 15, 25, 100)).toEqual(points([10, 2], [20, 3], [30, 4]));
  expect(downSample(all, 0, 40, 100)).toEqual(all);
  expect(downSample(points(), 0, 1, 100)).toEqual(points());
});

test('a gap does not hide the extremes of its column', () => {
  const x = Float64Array.from({ length: 1000 }, (_, index) => index);
  const y = Float64Array.from({ length: 1000 }, (_, index) => (index % 100 === 0 ? none : index));
  const kept = downSample({ x, y }, 0, 1000, 10);
  expect(kept.y).toContain(1);
  expect(kept.y).toContain(999);
});

test('curves with steps of their own share one axis', () => {
  const aligned = align([points([1, 3], [2, 2], [4, 1]), points([2, 9], [3, none])]);
  expect(aligned).toEqual([
    [1, 2, 3, 4],
    [3, 2, null, 1],
    [null, 9, null, null],
  ]);
});

test('on a log scale zero has no place', () => {
  expect(align([points([1, 0], [2, 0.5], [3, -1])], 0)).toEqual([
    [1, 2, 3],
    [null, 0.5, null],
  ]);
});

test('the nearest and the lowest point are found', () => {
  const all = points([10, 3], [20, 1], [30, 1], [40, 2]);
  expect(nearest(all, 14)).toEqual({ x: 10, y: 3 });
  expect(nearest(all, 16)).toEqual({ x: 20, y: 1 });
  expect(nearest(all, -5)).toEqual({ x: 10, y: 3 });
  expect(nearest(all, Number.POSITIVE_INFINITY)).toEqual({ x: 40, y: 2 });
  expect(nearest(points(), 3)).toBeUndefined();
  expect(lowestPoint(all)).toEqual({ x: 20, y: 1 });
  expect(lowestPoint(points())).toBeUndefined();
});

test('what a run began with is its best evaluation only beside others', () => {
  expect(bestEvaluation(points([0, 7.9]))).toBeUndefined();
  expect(bestEvaluation(points([0, 7.9], [10, 0.5], [20, 0.6]))).toEqual({ x: 10, y: 0.5 });
  expect(bestEvaluation(points([0, 0.4], [10, 0.5]))).toEqual({ x: 0, y: 0.4 });
});
