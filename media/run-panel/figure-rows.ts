import { METRICS } from '../../extension/runs/history-rows.ts';
import { latest, nearest } from '../charts/nearest.ts';
import type { RunHistory } from '../charts/run-history.ts';

/** As many rows as one reads, and the evaluation before the first step. */
const ROWS = 20;

/** What was measured by a step: of each metric the last value since the row above, if there is one. */
export interface FigureRow {
  readonly step: number;
  /** In the order of `METRICS`. */
  readonly values: readonly (number | undefined)[];
}

/** Steps of a run that were reported, spread over it, and their values. */
export function figureRows(history: RunHistory): readonly FigureRow[] {
  const { x } = history.points('loss');
  const steps = new Set<number>();
  if (latest(history.points('eval_loss'), 0) !== undefined) steps.add(0);
  for (let index = 1; index <= ROWS; index += 1) {
    const point = nearest({ x, y: x }, (history.lastStep * index) / ROWS);
    if (point !== undefined) steps.add(point.x);
  }
  const rows = [...steps];
  return rows.map((step, index) => {
    const above = rows[index - 1] ?? -1;
    const values = METRICS.map((metric) => {
      const point = latest(history.points(metric), step);
      return point !== undefined && point.x > above ? point.y : undefined;
    });
    return { step, values };
  });
}
