import path from 'node:path';
import type { JournalEntry } from '../../engine/train/journal-entry.ts';
import { RUN_FILES } from '../../engine/train/run-files.ts';
import type { LogLine } from '../protocol/runs.ts';
import { MAX_LOG_LINE_BYTES, parseLogLine } from '../trainer/run-log.ts';
import { JournalReader } from './journal-reader.ts';
import { LineTail } from './line-tail.ts';

/** Who follows a run. What they are told next waits until they have taken what they were told. */
export interface RunFollower {
  /** @param isStart these are the first entries of the journal */
  onEvents(entries: readonly JournalEntry[], isStart: boolean): void | Promise<void>;
  onLog(lines: readonly LogLine[], isStart: boolean): void | Promise<void>;
}

/**
 * Follows journal and log of a run folder from their first line. History and news take the same
 * way, so that nothing is missing or comes twice, whenever one begins to look.
 */
export class RunWatcher {
  readonly #events: JournalReader;
  readonly #log: LineTail;
  readonly #follower: RunFollower;
  #hasEvents = false;
  #hasLog = false;
  #isClosed = false;
  #reading: Promise<void> = Promise.resolve();
  #isDue = false;

  constructor(folder: string, follower: RunFollower) {
    this.#events = new JournalReader(folder);
    this.#log = new LineTail(path.join(folder, RUN_FILES.log), MAX_LOG_LINE_BYTES);
    this.#follower = follower;
  }

  /** What is wrong with the journal as far as it was read; null if nothing. */
  get problem(): string | null {
    return this.#events.problem;
  }

  /** Hands on what came since the last time; resolves when all that is on disk now was. */
  read(): Promise<void> {
    if (this.#isDue) return this.#reading;
    this.#isDue = true;
    const read = async (): Promise<void> => {
      this.#isDue = false;
      await this.#readEvents();
      await this.#readLog();
    };
    this.#reading = this.#reading.then(read, read);
    return this.#reading;
  }

  close(): void {
    this.#isClosed = true;
  }

  async #readEvents(): Promise<void> {
    for await (const entries of this.#events.read()) {
      if (this.#isClosed) return;
      await this.#follower.onEvents(entries, !this.#hasEvents);
      this.#hasEvents = true;
    }
  }

  async #readLog(): Promise<void> {
    for await (const lines of this.#log.read()) {
      if (this.#isClosed) return;
      await this.#follower.onLog(lines.map(parseLogLine), !this.#hasLog);
      this.#hasLog = true;
    }
  }
}
