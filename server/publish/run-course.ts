import { sharedRowsOf } from '../../engine/plan/split-report.ts';
import type { SessionFacts } from '../../engine/train/events.ts';
import { JournalReader } from '../runs/journal-reader.ts';

/** What the journal of a run says of all of it. */
export interface RunCourse {
  /** As the latest session began; null where none did. */
  readonly summary: SessionFacts | null;
  /** Step whose model the result is; null where there is no result. */
  readonly resultStep: number | null;
  /** Rows that were held out and learned all the same, as the latest session found. */
  readonly sharedRows: number;
}

/** Reads the journal of a run folder; one that is missing or damaged says less. */
export async function readCourse(folder: string): Promise<RunCourse> {
  let summary: SessionFacts | null = null;
  let resultStep: number | null = null;
  let sharedRows = 0;
  for await (const entries of new JournalReader(folder, { skimsSteps: true }).read()) {
    for (const entry of entries) {
      if (entry.type === 'started') {
        summary = entry.run;
        sharedRows = 0;
      }
      if (entry.type === 'warning') sharedRows = sharedRowsOf(entry.message) ?? sharedRows;
      if (entry.type === 'completed') resultStep = entry.result_step ?? entry.steps;
    }
  }
  return { summary, resultStep, sharedRows };
}
