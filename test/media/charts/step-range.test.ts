import { expect, test } from 'vitest';
import { limitRange, overlap } from '../../../media/charts/step-range.ts';

test('a part that was zoomed in on is left where the curves have left it, at either edge', () => {
  const part = { from: 100, to: 200 };
  expect(overlap(part, { from: 0, to: 600 })).toBe(true);
  expect(overlap(part, { from: 150, to: 750 })).toBe(true);
  expect(overlap(part, { from: 200, to: 800 })).toBe(false);
  // A run that begins again.
  expect(overlap(part, { from: 0, to: 10 })).toBe(false);
});

test('a part is at least a step wide, within all, and not all', () => {
  const all = { from: 50, to: 650 };
  expect(limitRange({ from: 100, to: 200 }, all)).toEqual({ from: 100, to: 200 });
  expect(limitRange({ from: 0, to: 100 }, all)).toEqual({ from: 50, to: 150 });
  expect(limitRange({ from: 600, to: 700 }, all)).toEqual({ from: 550, to: 650 });
  expect(limitRange({ from: 60, to: 60 }, all)).toEqual({ from: 60, to: 61 });
  expect(limitRange({ from: 0, to: 700 }, all)).toBeUndefined();
});
