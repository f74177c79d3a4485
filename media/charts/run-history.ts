import { METRICS, type Metric, ROW_WIDTH } from '../../extension/runs/history-rows.ts';
import { GrowingArray } from './growing-array.ts';

/** Points of one curve, by ascending step. */
export interface Points {
  readonly x: Float64Array;
  readonly y: Float64Array;
}

/** All curves of a run as far as they are known. */
export class RunHistory {
  readonly #curves = new Map(
    METRICS.map((metric) => [metric, { x: new GrowingArray(), y: new GrowingArray() }] as const),
  );

  /** Forgets everything. */
  clear(): void {
    for (const { x, y } of this.#curves.values()) {
      x.length = 0;
      y.length = 0;
    }
  }

  /**
   * Adds rows as `historyRows` makes them. A row that does not go on from the last one belongs to a
   * session that resumed from an earlier step: what came after that step is dropped.
   */
  add(rows: Float64Array): void {
    for (let start = 0; start < rows.length; start += ROW_WIDTH) {
      const step = rows[start]!;
      METRICS.forEach((metric, index) => {
        const { x, y } = this.#curves.get(metric)!;
        const value = rows[start + 1 + index]!;
        const hasValue = !Number.isNaN(value);
        while (x.length > 0 && (hasValue ? x.last >= step : x.last > step)) {
          x.length -= 1;
          y.length -= 1;
        }
        if (!hasValue) return;
        x.push(step);
        y.push(value);
      });
    }
  }

  /** A curve; the arrays are views that the next {@link add} may outdate. */
  points(metric: Metric): Points {
    const { x, y } = this.#curves.get(metric)!;
    return { x: x.values, y: y.values };
  }

  /** The last step that anything is known of; 0 before the first. */
  get lastStep(): number {
    return Math.max(0, ...METRICS.map((metric) => this.points(metric).x.at(-1) ?? 0));
  }
}
