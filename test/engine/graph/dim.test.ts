import { describe, expect, test } from 'vitest';
import {
  addDims,
  type Dim,
  formatShape,
  mulDims,
  numElements,
  sameShape,
  staticSize,
} from '../../../engine/graph/dim.ts';

const SAMPLES: readonly Dim[] = [
  0,
  1,
  7,
  'a',
  'b',
  'a+b',
  'a*b',
  '2*a+3',
  'a*a+b',
  'past+sequence+1',
];
const pairs = SAMPLES.flatMap((x) => SAMPLES.map((y) => [x, y] as const));

const SIZES: Readonly<Record<string, number>> = { a: 3, b: 5, past: 7, sequence: 11 };

/** What a dimension is for given sizes, worked out from its text alone. */
function value(dim: Dim): number {
  return String(dim)
    .split('+')
    .map((term) =>
      term
        .split('*')
        .map((factor) => SIZES[factor] ?? Number(factor))
        .reduce((a, b) => a * b),
    )
    .reduce((a, b) => a + b);
}

describe('arithmetic of dimensions', () => {
  test('is right for real sizes', () => {
    for (const [x, y] of pairs) {
      expect(value(addDims(x, y)), `${x} + ${y}`).toBe(value(x) + value(y));
      expect(value(mulDims(x, y)), `${x} * ${y}`).toBe(value(x) * value(y));
    }
  });

  test('commutes, to the letter', () => {
    for (const [x, y] of pairs) {
      expect(addDims(x, y)).toBe(addDims(y, x));
      expect(mulDims(x, y)).toBe(mulDims(y, x));
    }
  });

  test('associates and distributes, to the letter', () => {
    for (const [x, y] of pairs) {
      for (const z of SAMPLES) {
        expect(addDims(addDims(x, y), z)).toBe(addDims(x, addDims(y, z)));
        expect(mulDims(mulDims(x, y), z)).toBe(mulDims(x, mulDims(y, z)));
        expect(mulDims(x, addDims(y, z))).toBe(addDims(mulDims(x, y), mulDims(x, z)));
      }
    }
  });

  test('what cancels disappears', () => {
    expect(addDims(addDims('a', 3), -3)).toBe('a');
    expect(addDims('a', mulDims('a', -1))).toBe(0);
    expect(addDims(addDims('a', 'b'), mulDims('b', -1))).toBe('a');
    expect(mulDims('a', 0)).toBe(0);
  });

  test('equal sizes are equal text, however they were written', () => {
    expect(addDims('sequence', 'past')).toBe('past+sequence');
    expect(mulDims(2, mulDims('sequence', 'batch'))).toBe('2*batch*sequence');
    expect(addDims('a', 'a')).toBe('2*a');
  });
});

describe('shapes', () => {
  test('count their elements', () => {
    expect(numElements([])).toBe(1);
    expect(numElements([2, 'n', 3])).toBe('6*n');
    expect(staticSize([2, 3])).toBe(6);
    expect(staticSize([2, 'n'])).toBeUndefined();
    expect(staticSize(['n', 0])).toBe(0);
  });

  test('compare axis by axis', () => {
    expect(sameShape([2, 'n'], [2, 'n'])).toBe(true);
    expect(sameShape([2, 3], [3, 2])).toBe(false);
    expect(sameShape([2], [2, 1])).toBe(false);
  });

  test('read as they are written', () => {
    expect(formatShape([2, 'past+sequence', 64])).toBe('[2, past+sequence, 64]');
  });
});
