import * as z from 'zod/mini';
import { progressText } from './progress-text.ts';

/** What commands with `--json` print before their result. */
const progressLine = z.object({
  type: z.literal('progress'),
  task: z.string(),
  done: z.number(),
  total: z.number(),
  rate: z.optional(z.number()),
});

/** How far a command is, for people, by a line that it printed; undefined for any other line. */
export function progressOf(line: unknown): string | undefined {
  const { data } = progressLine.safeParse(line);
  if (data === undefined) return undefined;
  const { task, done, total, rate } = data;
  return rate === undefined
    ? `${task}: ${Math.floor((100 * done) / Math.max(1, total))} %`
    : progressText({ task, done, total, rate });
}
