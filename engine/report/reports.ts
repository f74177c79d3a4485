import { setTimeout as delay } from 'node:timers/promises';
import { notWritable, withWayOut } from '../files/not-writable.ts';
import type { TrainEvent } from '../train/events.ts';
import type { Tracker } from './tracker.ts';

/** How long what happened may wait to be written, in milliseconds. */
const WRITE_EVERY_MS = 1000;

/** How long a run waits for its trackers at a checkpoint and at its end. */
const MAX_WAIT_MS = 30_000;

/** After these all is on disk. */
const MILESTONES: ReadonlySet<TrainEvent['type']> = new Set([
  'checkpoint',
  'stopped',
  'cancelled',
  'failed',
  'completed',
]);

/**
 * Tells the trackers of a run what happens in it. They write beside the run, which waits for them at
 * checkpoints alone; one that cannot write, or takes too long, is left out from then on.
 */
export class Reports {
  readonly #reporters: readonly Reporter[];

  /** @param maxWait milliseconds until a tracker is given up */
  constructor(trackers: readonly Tracker[], maxWait = MAX_WAIT_MS) {
    this.#reporters = trackers.map((tracker) => new Reporter(tracker, maxWait));
  }

  /** @returns a sentence for each tracker that has failed since the last call */
  async tell(event: TrainEvent): Promise<readonly string[]> {
    const time = Date.now();
    const told = await Promise.all(this.#reporters.map((reporter) => reporter.tell(event, time)));
    return told.filter((problem) => problem !== undefined);
  }

  /** Nothing is told any more. */
  async close(): Promise<void> {
    await Promise.all(this.#reporters.map((reporter) => reporter.close()));
  }
}

/** One tracker, and what is being written by it. */
class Reporter {
  readonly #tracker: Tracker;
  readonly #maxWait: number;
  #isClosed = false;
  #problem: string | undefined;
  /** Settles when all is written that was begun; never rejects. */
  #work: Promise<void> = Promise.resolve();
  #isWriting = false;
  #written = Number.NEGATIVE_INFINITY;

  constructor(tracker: Tracker, maxWait: number) {
    this.#tracker = tracker;
    this.#maxWait = maxWait;
  }

  async tell(event: TrainEvent, time: number): Promise<string | undefined> {
    if (this.#isClosed) return undefined;
    this.#tracker.note(event, time);
    if (MILESTONES.has(event.type)) {
      this.#write(true);
      await this.#wait();
    } else if (!this.#isWriting && performance.now() - this.#written >= WRITE_EVERY_MS) {
      this.#write(false);
    }
    if (this.#problem === undefined) return undefined;
    await this.close();
    return `${this.#problem} The run goes on and is not reported to ${this.#tracker.program} any more.`;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#then(() => this.#tracker.close());
    // One that has failed may never come to it.
    if (this.#problem === undefined) await this.#wait();
  }

  #write(isDurable: boolean): void {
    this.#written = performance.now();
    this.#then(async () => {
      if (this.#problem === undefined) await this.#tracker.write(isDurable);
    });
  }

  /** Does something when what was begun is done, well or not. */
  #then(action: () => Promise<void>): void {
    this.#isWriting = true;
    this.#work = this.#work.then(action).then(
      () => {
        this.#isWriting = false;
      },
      (error: unknown) => {
        this.#problem ??= describe(error);
      },
    );
  }

  /** A folder on a network may never answer. */
  async #wait(): Promise<void> {
    const timer = new AbortController();
    const late = delay(this.#maxWait, true, { signal: timer.signal }).catch(() => false);
    const isLate = await Promise.race([this.#work.then(() => false), late]);
    timer.abort();
    if (isLate) this.#problem ??= `Writing for ${this.#tracker.program} takes too long.`;
  }
}

const WAY_OUT = 'choose another training.logging_dir';

function describe(error: unknown): string {
  return withWayOut(notWritable('training.logging_dir', error), WAY_OUT);
}
