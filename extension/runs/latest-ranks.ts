import type { RankUsage } from '../../engine/train/events.ts';
import type { JournalEntry } from '../../engine/train/journal-entry.ts';

/**
 * The processes that compute a run, as the last of some journal entries tell of them.
 *
 * @returns none where a session begins, which may have other ones; undefined where nothing is told
 */
export function latestRanks(entries: readonly JournalEntry[]): readonly RankUsage[] | undefined {
  const last = entries.findLast(
    (entry) => entry.type === 'started' || (entry.type === 'step' && entry.ranks !== undefined),
  );
  if (last === undefined) return undefined;
  return last.type === 'step' ? last.ranks : [];
}
