import type { SampleEvent } from '../../engine/train/events.ts';
import type { JournalEntry } from '../../engine/train/journal-entry.ts';

/** An answer to one of a run's prompts; or a session that begins, beyond whose step none counts. */
export type SampleRow =
  | Pick<SampleEvent, 'step' | 'prompt' | 'text'>
  | { readonly resumedAt: number };

/** The part of a journal that tells what the model answered, and when. */
export function sampleRows(entries: readonly JournalEntry[]): SampleRow[] {
  return entries.flatMap((entry): SampleRow[] => {
    if (entry.type === 'started') return [{ resumedAt: entry.run.resumedAt }];
    return entry.type === 'sample'
      ? [{ step: entry.step, prompt: entry.prompt, text: entry.text }]
      : [];
  });
}
