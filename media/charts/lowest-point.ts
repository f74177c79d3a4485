import type { Points } from './run-history.ts';

/** The first of the lowest points of a curve; undefined where it has none. */
export function lowestPoint({ x, y }: Points): { x: number; y: number } | undefined {
  if (x.length === 0) return undefined;
  let lowest = 0;
  for (let index = 1; index < y.length; index += 1) if (y[index]! < y[lowest]!) lowest = index;
  return { x: x[lowest]!, y: y[lowest]! };
}
