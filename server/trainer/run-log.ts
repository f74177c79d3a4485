import { Journal } from '../../engine/files/append.ts';
import { plainLine } from '../plain-text.ts';
import type { LogLevel, LogLine } from '../protocol/runs.ts';
import type { TailLine } from '../runs/line-tail.ts';

const LINE = /^(\d{4}-\d\d-\d\dT[\d:.]+Z) (info|warning|error|output) (.*)$/s;

/** The middle of a longer message is not kept. */
const MAX_TEXT_LENGTH = 2 ** 16;

/** A line of a log that is longer was not written here: a character takes three bytes at most. */
export const MAX_LOG_LINE_BYTES = 4 * MAX_TEXT_LENGTH;

/** The log of a run folder: what the trainer does, and what the computing process prints. */
export class RunLog {
  readonly #journal: Journal;
  /** Lines are appended one after the other. */
  #last: Promise<void> = Promise.resolve();

  private constructor(journal: Journal) {
    this.#journal = journal;
  }

  /** Opens a log to add to. Throws LorafaError `output.not_writable`. */
  static async open(file: string): Promise<RunLog> {
    return new RunLog(await Journal.open(file));
  }

  /** Adds a line, which is on disk when the promise resolves; it never rejects. */
  add(level: LogLevel, text: string): Promise<void> {
    const line = `${new Date().toISOString()} ${level} ${plainLine(text, MAX_TEXT_LENGTH)}`;
    // A log that cannot be written (full disk) must not end the run that it tells of.
    this.#last = this.#last.then(() => this.#journal.append(line)).catch(() => undefined);
    return this.#last;
  }

  async close(): Promise<void> {
    await this.#last;
    await this.#journal.close();
  }
}

/** Reads one line of a log, which anybody may have written. */
export function parseLogLine({ number, text: line }: TailLine): LogLine {
  if (line === undefined) {
    return { time: null, level: 'warning', text: `Line ${number} is too long and was left out.` };
  }
  const [, time, level, text] = LINE.exec(line) ?? [];
  return time === undefined || text === undefined
    ? { time: null, level: 'output', text: line }
    : { time, level: level as LogLevel, text };
}
