import type { Chart } from './chart.ts';
import { limitRange, overlap, type StepRange } from './step-range.ts';
import { onThemeChange } from './theme.ts';

/** Charts over the same steps: they zoom together, and share the vertical line under the mouse. */
export class ChartGroup {
  readonly #charts: Chart[] = [];
  #all: StepRange = { from: 0, to: 1 };
  #zoom: StepRange | undefined;
  #cursor: number | undefined;
  #isDue = false;

  constructor() {
    onThemeChange(() => {
      for (const chart of this.#charts) chart.rebuild();
    });
  }

  add(chart: Chart): void {
    this.#charts.push(chart);
    this.draw();
  }

  /** What the charts show. */
  get range(): StepRange {
    return this.#zoom ?? this.#all;
  }

  /** The step under the mouse or the keys, whose values all charts show. */
  get cursor(): number | undefined {
    return this.#cursor;
  }

  /** Moves the vertical line of all charts; undefined takes it away. */
  point(step: number | undefined): void {
    this.#cursor = step;
    for (const chart of this.#charts) chart.showCursor();
  }

  /** Says how far the curves reach. */
  reachTo(step: number, from = 0): void {
    this.#all = { from, to: Math.max(from + 1, step) };
    // Nothing is left of what somebody looked at.
    if (!overlap(this.range, this.#all)) this.#zoom = undefined;
    this.draw();
  }

  /** Shows a part, at least one step wide; undefined: all. */
  zoom(range: StepRange | undefined): void {
    this.#zoom = range === undefined ? undefined : limitRange(range, this.#all);
    this.draw();
  }

  /** Draws all charts with the next picture, however often it is called until then. */
  draw(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    requestAnimationFrame(() => {
      this.#isDue = false;
      for (const chart of this.#charts) chart.draw();
    });
  }
}
