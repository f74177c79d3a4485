import { Journal } from '../../engine/files.ts';
import type { LogLevel, LogLine } from '../protocol.ts';

const LINE = /^(\S+) (info|warning|error|output) (.*)$/;

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
    const line = `${new Date().toISOString()} ${level} ${text.replaceAll(/\s*[\r\n]\s*/g, ' ⏎ ')}`;
    // A log that cannot be written (full disk) must not end the run that it tells of.
    this.#last = this.#last.then(() => this.#journal.append(line)).catch(() => undefined);
    return this.#last;
  }

  async close(): Promise<void> {
    await this.#last;
    await this.#journal.close();
  }
}

/** Reads one line of a log. */
export function parseLogLine(line: string): LogLine {
  const [, time, level, text] = LINE.exec(line) ?? [];
  return time === undefined || text === undefined
    ? { time: null, level: 'output', text: line }
    : { time, level: level as LogLevel, text };
}
