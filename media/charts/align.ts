import type { AlignedData } from 'uplot';
import type { Points } from './run-history.ts';

/**
 * Puts curves with steps of their own into uPlot's form: all steps in order, and for each curve its
 * value there or null.
 *
 * @param floor values that are not above it are left out, as zero must be on a log scale
 */
export function align(curves: readonly Points[], floor = Number.NEGATIVE_INFINITY): AlignedData {
  const next = curves.map(() => 0);
  const steps: number[] = [];
  const values: (number | null)[][] = curves.map(() => []);
  for (;;) {
    let step = Number.POSITIVE_INFINITY;
    curves.forEach(({ x }, index) => {
      step = Math.min(step, x[next[index]!] ?? Number.POSITIVE_INFINITY);
    });
    if (step === Number.POSITIVE_INFINITY) return [steps, ...values];
    steps.push(step);
    curves.forEach(({ x, y }, index) => {
      const at = next[index]!;
      const isHere = x[at] === step;
      values[index]!.push(isHere && y[at]! > floor ? y[at]! : null);
      if (isHere) next[index] = at + 1;
    });
  }
}
