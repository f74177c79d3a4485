import type { SplitReport } from '../../engine/train/events.ts';
import { formatCount } from './format.ts';

/** What to say before counts that were inferred from a part of the rows; nothing for others. */
export function describeInferred({ inferredFrom }: SplitReport): string {
  return inferredFrom === undefined
    ? ''
    : `streamed; by the first ${formatCount(inferredFrom)} rows, about `;
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
