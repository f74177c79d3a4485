import { z } from 'zod';
import { parseJson } from '../json.ts';
import { isJsonObject } from '../json-file.ts';
import { EVENT_SCHEMAS, type TrainEvent } from './events.ts';

/** What the journal adds to an event. */
const entrySchema = z.object({
  /** When it was written, ISO 8601. */
  time: z.iso.datetime(),
  /** With each step: memory of the computing processes in bytes, without that of GPUs. */
  memory: z.number().nonnegative().exactOptional(),
});

/** One line of the journal of a run. */
export type JournalEntry = TrainEvent & Readonly<z.infer<typeof entrySchema>>;

/** A line that is longer is no entry: the longest hold an answer to a sample prompt. */
export const MAX_ENTRY_BYTES = 2 ** 20;

/**
 * Reads one line of a journal, which anybody may have written.
 *
 * @returns `later` for an entry of a type that only a later version knows, `damaged` for what is no
 * entry, or lacks what entries of its type have
 */
export function parseJournalLine(line: string): JournalEntry | 'later' | 'damaged' {
  let value: unknown;
  try {
    value = parseJson(line);
  } catch {
    return 'damaged';
  }
  if (!isJsonObject(value) || typeof value['type'] !== 'string') return 'damaged';
  if (!isEventType(value['type'])) return 'later';
  const event = EVENT_SCHEMAS[value['type']].safeParse(value);
  const entry = entrySchema.safeParse(value);
  return event.success && entry.success ? { ...event.data, ...entry.data } : 'damaged';
}

function isEventType(type: string): type is TrainEvent['type'] {
  return Object.hasOwn(EVENT_SCHEMAS, type);
}
