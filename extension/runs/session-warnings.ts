import type { JournalEntry } from '../../engine/train/journal-entry.ts';

/** What the latest session of a run has warned of. */
export interface SessionWarnings {
  /** Whether the session began in this part of the journal: earlier warnings count no more. */
  readonly isStart: boolean;
  readonly messages: readonly string[];
}

/** The warnings in a part of a journal that are of the session which it ends with. */
export function sessionWarnings(entries: readonly JournalEntry[]): SessionWarnings {
  const start = entries.findLastIndex(({ type }) => type === 'started');
  const messages = entries
    .slice(start + 1)
    .flatMap((entry) => (entry.type === 'warning' ? [entry.message] : []));
  return { isStart: start >= 0, messages };
}
