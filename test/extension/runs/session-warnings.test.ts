import { expect, test } from 'vitest';
import type { JournalEntry } from '../../../engine/train/journal-entry.ts';
import { sessionWarnings } from '../../../extension/runs/session-warnings.ts';
import { startedEvent, stepEvent } from '../../support/journal-events.ts';

const TIME = '2026-01-01T00:00:00.000Z';
const warning = (message: string) => ({ time: TIME, type: 'warning', message }) as JournalEntry;
const started = { time: TIME, ...startedEvent() } as JournalEntry;
const step = { time: TIME, ...stepEvent() } as JournalEntry;

test('the warnings of the latest session count, those of earlier ones no more', () => {
  expect(sessionWarnings([warning('old'), step, started, warning('new'), step])).toEqual({
    isStart: true,
    messages: ['new'],
  });
  expect(sessionWarnings([step, warning('later')])).toEqual({
    isStart: false,
    messages: ['later'],
  });
  expect(sessionWarnings([warning('old'), started])).toEqual({ isStart: true, messages: [] });
});
