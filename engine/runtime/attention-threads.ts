import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { MessageChannel, Worker } from 'node:worker_threads';
import { LorafaError } from '../errors.ts';
import { type AttentionJob, AttentionMailbox, type PartialSums, STATE } from './attention-job.ts';
import type { AttentionThreadData } from './attention-thread.ts';
import type { OnednnLibrary } from './onednn-library.ts';
import { Lifeline } from './thread-lifeline.ts';

/** The bundled {@link file://./attention-thread.ts}, which the build puts beside every entry point. */
const PROGRAM = fileURLToPath(
  new URL(`./attention-thread${path.extname(import.meta.url)}`, import.meta.url),
);

/** Milliseconds that a thread may take to start, and that it may take for a share. */
const [START_MS, SHARE_MS] = [10_000, 600_000];

/** Milliseconds between two looks whether a thread that is waited for is still there. */
const LOOK_MS = 50;

/** Milliseconds after which a thread that does not even begin to free memory is left alone. */
const RELEASE_MS = 1000;

/**
 * Threads that compute shares of attention beside the main one, which never waits for one that has not
 * begun: it takes the share back and computes it itself. They keep no process alive.
 */
export class AttentionThreads {
  readonly #library: OnednnLibrary;
  readonly #program: string;
  readonly #threads: (AttentionThread | undefined)[] = [];
  /** Those that are being started. */
  readonly #starts = new Map<number, Promise<void>>();

  /** @param program the built entry of a thread; another one only in tests */
  constructor(library: OnednnLibrary, program = PROGRAM) {
    this.#library = library;
    this.#program = program;
  }

  /** Makes sure of so many threads beside the main one. Those that cannot be started are done without. */
  async start(count: number): Promise<void> {
    const indices = Array.from({ length: count }, (_, i) => i);
    await Promise.all(indices.map((index) => this.at(index) ?? this.#startOnce(index)));
  }

  /** The thread `index`, where it is there and has nothing to do. */
  at(index: number): AttentionThread | undefined {
    const thread = this.#threads[index];
    return thread?.isLost ? undefined : thread;
  }

  /** Has all threads free what they have for sizes. */
  release(job: AttentionJob): void {
    for (const index of this.#threads.keys()) {
      const thread = this.at(index);
      thread?.post(job);
      thread?.finish({ patience: RELEASE_MS });
    }
  }

  /** Two sessions may be made at the same time. */
  #startOnce(index: number): Promise<void> {
    const start =
      this.#starts.get(index) ?? this.#startThread(index).finally(() => this.#starts.delete(index));
    this.#starts.set(index, start);
    return start;
  }

  async #startThread(index: number): Promise<void> {
    const mailbox = new AttentionMailbox();
    const { port1, port2 } = new MessageChannel();
    const workerData: AttentionThreadData = {
      library: this.#library,
      memory: mailbox.memory,
      lifeline: port2,
    };
    const worker = new Worker(this.#program, {
      workerData,
      transferList: [port2],
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 4 },
    });
    const thread = new AttentionThread(mailbox, worker, new Lifeline(port1));
    await new Promise<void>((resolve) => {
      // It also keeps the process alive while nothing else does.
      const limit = setTimeout(() => thread.leave(), START_MS);
      const settle = (): void => {
        clearTimeout(limit);
        resolve();
      };
      worker.once('message', () => {
        this.#threads[index] = thread;
        settle();
      });
      // What it could not do is done without it.
      worker.on('error', () => undefined);
      worker.once('exit', () => {
        if (this.#threads[index] === thread) this.#threads[index] = undefined;
        settle();
      });
      worker.unref();
    });
  }
}

/** How long a thread is waited for, in milliseconds. */
export interface Waiting {
  /** Within which it has to begin; none unless given. */
  readonly patience?: number;
  /** Within which it has to end once it has begun; ten minutes unless given. */
  readonly limit?: number;
}

/** One of these threads, as the main thread sees it. */
export class AttentionThread {
  readonly #mailbox: AttentionMailbox;
  readonly #lifeline: Lifeline;
  readonly worker: Worker;
  #isLost = false;

  constructor(mailbox: AttentionMailbox, worker: Worker, lifeline: Lifeline) {
    this.#mailbox = mailbox;
    this.#lifeline = lifeline;
    this.worker = worker;
  }

  /** Whether it is given nothing more: it died, or did not end. Whatever it may still answer nobody reads. */
  get isLost(): boolean {
    return this.#isLost;
  }

  post(job: AttentionJob): void {
    this.#mailbox.writeJob(job);
    this.#mailbox.turn(STATE.idle, STATE.posted);
  }

  /**
   * Waits until what was posted is done.
   *
   * @returns the sums that it made; undefined where it was not begun, is taken back and will not be done, or
   * went wrong, also where the thread died over it
   * @throws LorafaError `device.failed` where it was begun and does not end
   */
  finish({ patience = 0, limit = SHARE_MS }: Waiting = {}): PartialSums[] | undefined {
    const mailbox = this.#mailbox;
    if (this.#isLost) return undefined;
    if (patience > 0) mailbox.waitWhile(STATE.posted, patience);
    if (mailbox.turn(STATE.posted, STATE.idle) || mailbox.state === STATE.idle) return undefined;
    this.#waitForEnd(limit);
    if (mailbox.turn(STATE.done, STATE.idle)) return mailbox.readSums();
    if (mailbox.turn(STATE.failed, STATE.idle)) return undefined;
    const isDead = this.#lifeline.isCut;
    this.leave();
    if (isDead) return undefined;
    throw new LorafaError(
      'device.failed',
      'A thread that computes attention did not end; start the run again, with engine.intra_op_num_threads 1 if it happens again.',
    );
  }

  /** Ends the thread as soon as it can be ended, and gives it nothing more. */
  leave(): void {
    this.#isLost = true;
    void this.worker.terminate();
  }

  /** Nobody tells of a death while the event loop stands still, so that it is looked for. */
  #waitForEnd(limit: number): void {
    const end = performance.now() + limit;
    for (let left = limit; left > 0; left = end - performance.now()) {
      this.#mailbox.waitWhile(STATE.taken, Math.min(left, LOOK_MS));
      if (this.#mailbox.state !== STATE.taken || this.#lifeline.isCut) return;
    }
  }
}
