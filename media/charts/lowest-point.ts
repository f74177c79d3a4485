import type { Points } from './run-history.ts';

/** The first of the lowest points of a curve; undefined where it has none. */
export function lowestPoint({ x, y }: Points): { x: number; y: number } | undefined {
  if (x.length === 0) return undefined;
  let lowest = 0;
  for (let index = 1; index < y.length; index += 1) if (y[index]! < y[lowest]!) lowest = index;
  return { x: x[lowest]!, y: y[lowest]! };
}

/** The best of a run's evaluations; undefined while there is only that of what the run began with. */
export function bestEvaluation(evaluations: Points): { x: number; y: number } | undefined {
  return evaluations.x.some((step) => step > 0) ? lowestPoint(evaluations) : undefined;
}
