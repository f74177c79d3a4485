import { expect, test } from 'vitest';
import type { JournalEntry } from '../../../engine/train/journal-entry.ts';
import { latestRanks } from '../../../extension/runs/latest-ranks.ts';

const RANKS = [{ device: 'cpu', memory: 3, tokens_per_second: 7 }];
const step = (number: number, ranks?: typeof RANKS): JournalEntry =>
  ({ type: 'step', step: number, ...(ranks && { ranks }) }) as unknown as JournalEntry;
const STARTED = { type: 'started' } as JournalEntry;

test('the processes are those of the latest step, and of the session that goes on', () => {
  expect(latestRanks([STARTED, step(1, []), step(2, RANKS)])).toEqual(RANKS);
  expect(latestRanks([step(2, RANKS), STARTED])).toEqual([]);
  expect(latestRanks([step(1), step(2)])).toBeUndefined();
});
