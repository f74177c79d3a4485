import type { JournalEntry } from '../../engine/train/run-folder.ts';

/** Reads one line of a journal; undefined for a line that a crash left unfinished. */
export function parseJournalLine(line: string): JournalEntry | undefined {
  try {
    const value: unknown = JSON.parse(line);
    const isEntry = typeof value === 'object' && value !== null && 'type' in value;
    return isEntry ? (value as JournalEntry) : undefined;
  } catch {
    return undefined;
  }
}
