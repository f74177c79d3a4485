/** A part of what charts are over, in steps or in seconds. */
export interface StepRange {
  readonly from: number;
  readonly to: number;
}

/** Whether two parts have something in common, more than an edge. */
export function overlap(a: StepRange, b: StepRange): boolean {
  return a.from < b.to && b.from < a.to;
}

/** A part as it can be shown of all: at least one step wide, and within; undefined where it would be all. */
export function limitRange({ from, to }: StepRange, all: StepRange): StepRange | undefined {
  const width = Math.max(1, to - from);
  if (width >= all.to - all.from) return undefined;
  const start = Math.min(Math.max(all.from, from), all.to - width);
  return { from: start, to: start + width };
}
