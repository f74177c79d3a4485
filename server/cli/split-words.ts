import type { SplitReport } from '../../engine/plan/plan-reports.ts';
import { formatCount } from '../format.ts';
import { inferredCount } from '../inferred-count.ts';

/** How the counts of a split are written: those that were inferred from a part of its rows say so. */
export function splitCount({ inferredFrom }: SplitReport): (count: number) => string {
  return (count) => inferredCount(formatCount(count), inferredFrom !== undefined);
}

/** What to say before counts that were inferred from a part of the rows; nothing for others. */
export function describeInferred({ inferredFrom }: SplitReport): string {
  return inferredFrom === undefined
    ? ''
    : `streamed; by the first ${formatCount(inferredFrom)} rows, `;
}

/** How much comes from each of several sets, to be said after all other; nothing for one set. */
export function describeSets({ sets }: SplitReport): string {
  if (sets === undefined) return '';
  const shares = sets.map(
    ({ name, rows, available }) =>
      `${formatCount(rows)} of ${formatCount(available)} rows of ${name}`,
  );
  return `; an epoch has ${shares.join(', ')}`;
}
