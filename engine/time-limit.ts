import { createContext, Script } from 'node:vm';
import { type ErrorCode, LorafaError } from './errors.ts';

/*
 * Chat templates and the expressions of tokenizers are programs of strangers. They run in
 * libraries, on this thread, and may never end: a loop in a loop, an expression that backtracks.
 * The one thing in Node.js that ends code of one's own thread is the timeout of `node:vm`, which
 * stops whatever the isolate executes meanwhile, regular expressions included, no matter which
 * context it came from.
 */

/** What may take how long, and what to say when it takes longer. */
export interface TimeLimit {
  readonly seconds: number;
  readonly code: ErrorCode;
  /** The subject of the sentence: "The chat template of models/x". */
  readonly subject: string;
  /** What it was at work on: "row 3 of rows.jsonl". */
  readonly work?: string;
  /** The way out, after a semicolon. */
  readonly advice: string;
  /** The file that takes so long. */
  readonly file: string;
}

/** Seconds that a template or a tokenizer may take for a text, however short it is. */
export const TEXT_SECONDS = 10;

/** Characters that even a busy machine gets through in a second; a free one does twenty times that. */
const CHARACTERS_PER_SECOND = 50_000;

/** Seconds for a text of this many characters, with `seconds` for the shortest. */
export function secondsFor(characters: number, seconds: number): number {
  return seconds + characters / CHARACTERS_PER_SECOND;
}

/** Something of a stranger's took longer than anything of its kind does. */
export class TimeLimitError extends LorafaError {}

const CALL = new Script('task()');
const NOTHING = (): void => undefined;
const context: { task: () => void } = { task: NOTHING };
let isContextMade = false;
let isTimed = false;

/**
 * Runs a task that does not wait for anything, and ends it when its time is over: at once, wherever
 * it is, without its `catch` and `finally`. So the task may change nothing that is used afterwards,
 * but for appending to a list. Inside of another task with a limit, that one's counts.
 *
 * A call costs some 50 µs (a thread that watches the time); short tasks are better put together.
 *
 * @throws TimeLimitError when the time is over, and what the task throws.
 */
export function withinTime<T>(limit: TimeLimit, task: () => T): T {
  if (isTimed) return task();
  if (!isContextMade) createContext(context);
  isContextMade = true;
  const results: T[] = [];
  context.task = () => void results.push(task());
  isTimed = true;
  try {
    CALL.runInContext(context, { timeout: Math.ceil(limit.seconds * 1000) });
    return results[0]!;
  } catch (error) {
    if (!isTimeout(error)) throw error;
    const { code, subject, advice, work, file } = limit;
    const time = `more than ${Math.max(1, Math.round(limit.seconds))} seconds`;
    const spent = work === undefined ? time : `${time} for ${work}`;
    throw new TimeLimitError(code, `${subject} took ${spent} and was ended; ${advice}.`, {
      location: { file },
    });
  } finally {
    isTimed = false;
    context.task = NOTHING;
  }
}

/** The error is one of the context, whose `Error` is not ours. */
function isTimeout(error: unknown): boolean {
  return (
    typeof error === 'object' &&
    error !== null &&
    'code' in error &&
    error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT'
  );
}
