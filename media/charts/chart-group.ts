import type { Chart } from './chart.ts';
import { onThemeChange } from './theme.ts';

/** The part of the run that is visible, in steps. */
export interface StepRange {
  readonly from: number;
  readonly to: number;
}

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
    if (this.#zoom !== undefined && this.#zoom.from >= this.#all.to) this.#zoom = undefined;
    this.draw();
  }

  /** Shows a part, at least one step wide; undefined: all. */
  zoom(range: StepRange | undefined): void {
    this.#zoom = range === undefined ? undefined : this.#limit(range);
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

  #limit({ from, to }: StepRange): StepRange | undefined {
    const all = this.#all;
    const width = Math.max(1, to - from);
    if (width >= all.to - all.from) return undefined;
    const start = Math.min(Math.max(all.from, from), all.to - width);
    return { from: start, to: start + width };
  }
}
