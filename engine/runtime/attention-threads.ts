import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { LorafaError } from '../errors.ts';
import { type AttentionJob, AttentionMailbox, type PartialSums, STATE } from './attention-job.ts';
import type { AttentionThreadData } from './attention-thread.ts';
import type { OnednnLibrary } from './onednn-library.ts';

/** The bundled {@link file://./attention-thread.ts}, which the build puts beside every entry point. */
const PROGRAM = fileURLToPath(
  new URL(`./attention-thread${path.extname(import.meta.url)}`, import.meta.url),
);

/** Milliseconds that a thread may take to start, and that it may take for a share. */
const [START_MS, SHARE_MS] = [10_000, 600_000];

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

  /** @param program the built entry of a thread; another one only in tests */
  constructor(library: OnednnLibrary, program = PROGRAM) {
    this.#library = library;
    this.#program = program;
  }

  /** Makes sure of so many threads beside the main one. Those that cannot be started are done without. */
  async start(count: number): Promise<void> {
    const indices = Array.from({ length: count }, (_, i) => i);
    await Promise.all(indices.map((index) => this.#threads[index] ?? this.#startThread(index)));
  }

  /** The thread `index`, where it is there and has nothing to do. */
  at(index: number): AttentionThread | undefined {
    return this.#threads[index];
  }

  /** Has all threads free what they have for sizes. */
  release(job: AttentionJob): void {
    for (const thread of this.#threads) {
      thread?.post(job);
      thread?.finish(RELEASE_MS);
    }
  }

  async #startThread(index: number): Promise<void> {
    const mailbox = new AttentionMailbox();
    const workerData: AttentionThreadData = { library: this.#library, memory: mailbox.memory };
    const worker = new Worker(this.#program, {
      workerData,
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 4 },
    });
    const thread = new AttentionThread(mailbox, worker);
    await new Promise<void>((resolve) => {
      // It also keeps the process alive while nothing else does.
      const limit = setTimeout(() => worker.terminate(), START_MS);
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

/** One of these threads, as the main thread sees it. */
export class AttentionThread {
  readonly #mailbox: AttentionMailbox;
  readonly worker: Worker;

  constructor(mailbox: AttentionMailbox, worker: Worker) {
    this.#mailbox = mailbox;
    this.worker = worker;
  }

  post(job: AttentionJob): void {
    this.#mailbox.writeJob(job);
    this.#mailbox.turn(STATE.idle, STATE.posted);
  }

  /**
   * Waits until what was posted is done.
   *
   * @param patience milliseconds within which it has to be begun
   * @returns the sums that it made; undefined where it was not begun, is taken back and will not be done, or
   * went wrong
   * @throws LorafaError `device.failed` where it was begun and does not end
   */
  finish(patience = 0): PartialSums[] | undefined {
    const mailbox = this.#mailbox;
    if (patience > 0) mailbox.waitWhile(STATE.posted, patience);
    if (mailbox.turn(STATE.posted, STATE.idle) || mailbox.state === STATE.idle) return undefined;
    mailbox.waitWhile(STATE.taken, SHARE_MS);
    if (mailbox.turn(STATE.done, STATE.idle)) return mailbox.readSums();
    if (mailbox.turn(STATE.failed, STATE.idle)) return undefined;
    throw new LorafaError(
      'device.failed',
      'A thread that computes attention did not end; start the run again, with engine.intra_op_num_threads 1 if it happens again.',
    );
  }
}
