import { expect, test } from 'vitest';
import { PAGE_ROWS, pageStart, randomPage } from '../../../extension/data-preview/pages.ts';

test('a page begins at a multiple of its length, within the rows', () => {
  expect(pageStart(0, 11)).toBe(0);
  expect(pageStart(PAGE_ROWS + 1, 11)).toBe(PAGE_ROWS);
  expect(pageStart(1_000, 11)).toBe(2 * PAGE_ROWS);
  expect(pageStart(2 * PAGE_ROWS, 2 * PAGE_ROWS)).toBe(PAGE_ROWS);
  expect(pageStart(-3, 11)).toBe(0);
  expect(pageStart(Number.NaN, 11)).toBe(0);
  expect(pageStart(7, 0)).toBe(0);
});

test('a random page is another one, and each of the others can come', () => {
  const rows = 4 * PAGE_ROWS - 2;
  const found = [0, 0.3, 0.5, 0.7, 0.999].map((random) => randomPage(PAGE_ROWS, rows, random));
  expect(new Set(found)).toEqual(new Set([0, 2 * PAGE_ROWS, 3 * PAGE_ROWS]));
  expect(randomPage(0, PAGE_ROWS, 0.9)).toBe(0);
});
