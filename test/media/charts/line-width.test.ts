import { expect, test } from 'vitest';
import { lineWidth, swatchWidth } from '../../../media/charts/line-width.ts';

test('a curve and the one behind it differ by width, in the legend too, whatever the theme', () => {
  for (const isHighContrast of [true, false]) {
    expect(lineWidth('line', isHighContrast)).toBeGreaterThan(lineWidth('faint', isHighContrast));
  }
  expect(swatchWidth('line')).toBeGreaterThan(swatchWidth('faint'));
  expect([swatchWidth('line'), swatchWidth('faint')].every(Number.isInteger)).toBe(true);
});
