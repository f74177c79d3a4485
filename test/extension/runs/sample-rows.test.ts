import { expect, test } from 'vitest';
import type { JournalEntry } from '../../../engine/train/journal-entry.ts';
import { sampleRows } from '../../../extension/runs/sample-rows.ts';

test('answers and the sessions that they belong to are taken out of a journal', () => {
  const time = '2026-01-01T00:00:00.000Z';
  const started = (resumedAt: number) =>
    ({ type: 'started', time, run: { resumedAt } }) as JournalEntry;
  const sample = (step: number, text: string): JournalEntry => ({
    type: 'sample',
    time,
    step,
    prompt: 'Who?',
    text,
  });
  const checkpoint: JournalEntry = { type: 'checkpoint', time, step: 2, dir: '/run/checkpoint-2' };
  expect(sampleRows([started(0), sample(2, 'a'), checkpoint, started(2), sample(4, 'b')])).toEqual([
    { resumedAt: 0 },
    { step: 2, prompt: 'Who?', text: 'a' },
    { resumedAt: 2 },
    { step: 4, prompt: 'Who?', text: 'b' },
  ]);
});
