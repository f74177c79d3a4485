import { lowerBound } from './down-sample.ts';
import type { Points } from './run-history.ts';

/** The point of a curve whose step is closest; undefined where the curve has none. */
export function nearest({ x, y }: Points, step: number): { x: number; y: number } | undefined {
  if (x.length === 0) return undefined;
  const above = Math.min(lowerBound(x, step), x.length - 1);
  const below = Math.max(0, above - 1);
  const index = step - x[below]! < x[above]! - step ? below : above;
  return { x: x[index]!, y: y[index]! };
}
