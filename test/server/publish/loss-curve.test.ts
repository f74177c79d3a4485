import { describe, expect, test } from 'vitest';
import { lossCurve } from '../../../server/publish/loss-curve.ts';
import type { MetricRow } from '../../../server/runs/run-metrics.ts';

const row = (step: number, loss: number | null, held: number | null = null): MetricRow =>
  ({ step, loss, eval_loss: held }) as MetricRow;

/** The places of a line. */
function placesOf(svg: string, kind: string): number[][] {
  const [, points = ''] = new RegExp(`<polyline class="${kind}" points="([^"]*)"`).exec(svg) ?? [];
  return points === '' ? [] : points.split(' ').map((point) => point.split(',').map(Number));
}

describe('the picture of a loss', () => {
  test('has both curves where they belong', () => {
    const svg = lossCurve([row(0, null, 4), row(1, 3.5), row(2, 3, 2)], 2)!;
    const [[startX, startY], [endX, endY]] = placesOf(svg, 'eval') as [number[], number[]];
    expect([startX, endX]).toEqual([56, 700]);
    expect(startY).toBeLessThan(endY!);
    const train = placesOf(svg, 'train');
    // Halfway in steps and, from 4 to 2, three quarters up in loss.
    expect(train[0]).toEqual([378, startY! + (endY! - startY!) / 4]);
    expect(svg).toContain('this adapter (step 2)');
  });

  test('a long run is drawn in as many points as can be seen, up to its last step', () => {
    const rows = Array.from({ length: 100_000 }, (_, step) => row(step + 1, 5 - step / 50_000));
    const svg = lossCurve(rows, null)!;
    const places = placesOf(svg, 'train');
    expect(places).toHaveLength(300);
    expect(places.at(-1)![0]).toBe(700);
    expect(svg.length).toBeLessThan(20_000);
  });

  test.each([
    ['a loss that stays the same', [row(1, 2), row(2, 2)]],
    ['a loss of next to nothing', [row(1, 1e-9), row(2, 3e-9)]],
    ['a huge one', [row(1, 1e30), row(2, 2)]],
    ['the hugest ones', [row(1, 1e308), row(2, -1e308)]],
    ['what has become infinite', [row(1, Number.POSITIVE_INFINITY), row(2, 1)]],
  ])('%s is drawn within the picture', (_, rows) => {
    const svg = lossCurve(rows, null)!;
    expect(svg).not.toMatch(/NaN|Infinity/);
    const places = placesOf(svg, 'train');
    expect(places).toHaveLength(2);
    for (const [x, y] of places) {
      expect(x).toBeGreaterThanOrEqual(56);
      expect(x).toBeLessThanOrEqual(700);
      expect(y).toBeGreaterThanOrEqual(44);
      expect(y).toBeLessThanOrEqual(276);
    }
  });

  test('few points are dots on the line, many are the line alone', () => {
    const dots = (count: number): number =>
      (
        lossCurve(
          Array.from({ length: count }, (_, index) => row(index + 1, 2)),
          null,
        )!.match(/<circle class="train"/g) ?? []
      ).length;
    expect([dots(2), dots(29), dots(30), dots(1000)]).toEqual([2, 29, 0, 0]);
  });

  test('of one point, or of none, there is none', () => {
    expect(lossCurve([], null)).toBeUndefined();
    expect(lossCurve([row(1, 2)], 1)).toBeUndefined();
  });
});
