import type { JournalEntry } from '../../engine/train/journal-entry.ts';

/** What is drawn over the steps of a run, each from one field of the journal. */
export const METRICS = [
  'loss',
  'eval_loss',
  'learning_rate',
  'grad_norm',
  'tokens_per_second',
  'memory',
] as const;

/** One of {@link METRICS}. */
export type Metric = (typeof METRICS)[number];

/** Numbers per row: the step, then each of {@link METRICS}. */
export const ROW_WIDTH = 1 + METRICS.length;

/**
 * The part of a journal that is drawn, as rows of numbers: `[step, ...METRICS]`, NaN where an entry
 * says nothing. A session that begins gives a row without metrics: what an earlier session did
 * beyond that step was dropped. A hundred thousand steps are 5.6 MB, and one copy to send.
 */
export function historyRows(entries: readonly JournalEntry[]): Float64Array {
  const rows = new Float64Array(entries.length * ROW_WIDTH);
  let end = 0;
  for (const entry of entries) {
    const step = stepOf(entry);
    if (step === undefined) continue;
    rows[end] = step;
    const fields: Readonly<Record<string, unknown>> = { ...entry };
    METRICS.forEach((metric, index) => {
      const value = fields[metric];
      rows[end + 1 + index] = typeof value === 'number' ? value : Number.NaN;
    });
    end += ROW_WIDTH;
  }
  return rows.slice(0, end);
}

function stepOf(entry: JournalEntry): number | undefined {
  if (entry.type === 'step' || entry.type === 'eval') return entry.step;
  return entry.type === 'started' ? entry.run.resumedAt : undefined;
}
