import path from 'node:path';
import { type JournalEntry, RUN_FILES } from '../../engine/train/run-folder.ts';
import type { LogLine } from '../protocol.ts';
import { parseJournalLine } from './journal-entry.ts';
import { LineTail } from './line-tail.ts';
import { parseLogLine } from './run-log.ts';

/** Who follows a run. */
export interface RunFollower {
  /** @param isStart these are the first entries of the journal */
  onEvents(entries: readonly JournalEntry[], isStart: boolean): void;
  onLog(lines: readonly LogLine[], isStart: boolean): void;
}

/**
 * Follows journal and log of a run folder from their first line. History and news take the same
 * way, so that nothing is missing or comes twice, whenever one begins to look.
 */
export class RunWatcher {
  readonly #events: LineTail;
  readonly #log: LineTail;
  readonly #follower: RunFollower;
  #hasEvents = false;
  #hasLog = false;
  #isClosed = false;
  #reading: Promise<void> = Promise.resolve();
  #isDue = false;

  constructor(folder: string, follower: RunFollower) {
    this.#events = new LineTail(path.join(folder, RUN_FILES.journal));
    this.#log = new LineTail(path.join(folder, RUN_FILES.log));
    this.#follower = follower;
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
    for await (const lines of this.#events.read()) {
      if (this.#isClosed) return;
      const entries = lines.map(parseJournalLine).filter((entry) => entry !== undefined);
      this.#follower.onEvents(entries, !this.#hasEvents);
      this.#hasEvents = true;
    }
  }

  async #readLog(): Promise<void> {
    for await (const lines of this.#log.read()) {
      if (this.#isClosed) return;
      this.#follower.onLog(lines.map(parseLogLine), !this.#hasLog);
      this.#hasLog = true;
    }
  }
}
