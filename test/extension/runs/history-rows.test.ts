import { expect, test } from 'vitest';
import type { JournalEntry } from '../../../engine/train/journal-entry.ts';
import { historyRows, ROW_WIDTH } from '../../../extension/runs/history-rows.ts';

const time = '2026-01-01T10:00:00.000Z';

test('steps, evaluations and sessions become rows; everything else is left out', () => {
  const entries = [
    { type: 'progress', time, task: 'tokenizing', done: 1, total: 2 },
    { type: 'started', time, run: { resumedAt: 40 } },
    {
      type: 'step',
      time,
      step: 41,
      loss: 1.5,
      learning_rate: 1e-4,
      grad_norm: 2,
      tokens_per_second: 300,
      memory: 1024,
    },
    { type: 'eval', time, step: 41, eval_loss: 1.25 },
    // A loss that is no number is null in the journal.
    { type: 'step', time, step: 42, loss: null },
    { type: 'checkpoint', time, step: 42, dir: '/c' },
  ] as unknown as JournalEntry[];
  const rows = historyRows(entries);
  const { NaN: none } = Number;
  expect(rows.length % ROW_WIDTH).toBe(0);
  expect([...rows]).toEqual([
    ...[40, none, none, none, none, none, none],
    ...[41, 1.5, none, 1e-4, 2, 300, 1024],
    ...[41, none, 1.25, none, none, none, none],
    ...[42, none, none, none, none, none, none],
  ]);
});
