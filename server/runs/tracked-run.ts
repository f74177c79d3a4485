import { type FSWatcher, watch } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { LorafaError, messageOf } from '../../engine/errors.ts';
import type { RunSummary } from '../protocol/runs.ts';
import { throttle } from '../throttle.ts';
import { isFinal, type RunStatus } from '../trainer/run-status.ts';
import { TrainerClient } from '../trainer/trainer-client.ts';
import type { RunAction } from '../trainer/trainer-protocol.ts';
import { fingerprintOf } from './fingerprint.ts';
import { goneRun } from './gone-run.ts';
import { RunSessions } from './run-sessions.ts';
import { checkpointsOf, readRunFolder, usableAdapter } from './run-summary.ts';
import { type RunFollower, RunWatcher } from './run-watcher.ts';
import { TrainerPulse } from './trainer-pulse.ts';

/** When to look again at a run whose trainer closed its connection, before connecting anew. */
const LOOK_AGAIN_MS = [50, 500, 2000];

/** How often to look at a run that goes on and has nobody who tells of it. */
const LOOK_MS = 2000;

/** How often a folder that grows is read on, in milliseconds: a run can make hundreds of steps a second. */
const READ_MS = 100;

/** Who is told of a run. */
export interface RunListener {
  /** Called for a new run and for each change of one, in order. */
  readonly onChanged: (summary: RunSummary) => void;
  /** Called for a folder that held a run and holds none any more. */
  readonly onGone: (folder: string) => void;
}

/** A run as one server sees it: its folder, and the connection to its trainer while it lives. */
export class TrackedRun {
  readonly folder: string;
  readonly #sessions: RunSessions;
  readonly #answerTimeoutMs: number;
  readonly #listener: RunListener;
  #summary: RunSummary | undefined;
  /** What the folder looked like before it was read. */
  #fingerprint: string | undefined;
  /** What the follower has found damaged in the journal. */
  #damage: string | null = null;
  #client: TrainerClient | undefined;
  #pulse: TrainerPulse | undefined;
  #watcher: RunWatcher | undefined;
  #folderWatch: FSWatcher | undefined;
  #timer: NodeJS.Timeout | undefined;
  #lookTimer: NodeJS.Timeout | undefined;
  #isRefreshDue = false;
  #isDisposed = false;
  /** What happens to the run is told in order: each piece of news waits for the one before. */
  #news: Promise<void> = Promise.resolve();

  constructor(folder: string, answerTimeoutMs: number, listener: RunListener) {
    this.folder = folder;
    this.#sessions = new RunSessions(folder);
    this.#answerTimeoutMs = answerTimeoutMs;
    this.#listener = listener;
  }

  /** What was found when it was last looked at; undefined before that, and without a run. */
  get known(): RunSummary | undefined {
    return this.#summary;
  }

  /** Like {@link refresh}, but of a run that is over reads nothing where nothing has changed. */
  async look(): Promise<RunSummary | undefined> {
    if (this.#fingerprint === (await fingerprintOf(this.folder))) return this.#summary;
    return this.refresh();
  }

  /** Looks at the folder again, connects to the trainer if there is one; undefined without a run. */
  async refresh(): Promise<RunSummary | undefined> {
    await this.#inOrder(() => this.#refresh());
    return this.#summary;
  }

  /**
   * Steers the run.
   *
   * @throws LorafaError when it is not live or not there, or its trainer cannot be reached
   */
  async control(action: RunAction): Promise<RunStatus> {
    if (this.#client === undefined) await this.refresh();
    if (this.#client !== undefined) return this.#client.control(action);
    const summary = this.#summary;
    if (summary === undefined) throw goneRun(this.folder);
    const problem =
      summary.unheard ??
      (summary.isLive
        ? `${this.folder} is run by the command line; press Ctrl+C in its terminal to stop it.`
        : `${this.folder} has no run that is going on; start or resume it first.`);
    throw new LorafaError('usage.invalid', problem, { location: { file: this.folder } });
  }

  /** Sends the history and then the news to a follower, instead of an earlier one. */
  async follow(follower: RunFollower): Promise<void> {
    this.unfollow();
    const watcher = new RunWatcher(this.folder, follower);
    this.#watcher = watcher;
    // Wakes also for runs of the command line, which have nobody to connect to.
    this.#folderWatch = watch(this.folder, () => this.#grew());
    this.#folderWatch.on('error', () => undefined);
    await this.#readOn(watcher);
  }

  unfollow(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
    this.#damage = null;
    this.#folderWatch?.close();
    this.#folderWatch = undefined;
  }

  /** Lets go of the run, which goes on. */
  dispose(): void {
    this.#isDisposed = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#lookTimer);
    this.unfollow();
    this.#letGo();
  }

  /** @param told what the trainer has just said of its end */
  async #refresh(told?: RunStatus): Promise<void> {
    const fingerprint = await fingerprintOf(this.folder);
    const report = await readRunFolder(this.folder, this.#sessions, told);
    this.#fingerprint = report?.summary.isLive ? undefined : fingerprint;
    if (report === undefined) {
      // Moved or removed: it is no run of this folder any more.
      const wasThere = this.#summary !== undefined;
      this.#summary = undefined;
      if (wasThere && !this.#isDisposed) this.#listener.onGone(this.folder);
      return;
    }
    const { trainer } = report;
    const problem = report.summary.problem ?? this.#watcher?.problem ?? null;
    const summary = { ...report.summary, problem };
    if (trainer === null || this.#isDisposed) return this.#tell(summary);
    if (this.#client !== undefined && this.#client.address !== trainer.address) this.#letGo();
    if (this.#client === undefined) {
      try {
        this.#client = await this.#connect(trainer.address);
      } catch (error) {
        return this.#tell({ ...summary, isSteerable: false, unheard: messageOf(error) });
      }
      this.#feelPulse(this.#client, trainer.pid);
      return this.#tell({ ...summary, status: this.#client.status, unheard: null });
    }
    // The trainer itself tells more, and sooner, than what it has stored.
    const status = this.#summary?.status ?? summary.status;
    this.#tell({ ...summary, status, unheard: this.#pulse?.unheard ?? null });
  }

  #feelPulse(client: TrainerClient, pid: number): void {
    this.#pulse?.end();
    this.#pulse = new TrainerPulse({
      pid,
      ask: () => client.askStatus(),
      intervalMs: this.#answerTimeoutMs,
      onChanged: () =>
        this.#later(async () => {
          if (this.#client !== client || this.#summary === undefined) return;
          this.#tell({ ...this.#summary, unheard: this.#pulse?.unheard ?? null });
        }),
    });
  }

  #letGo(): void {
    this.#pulse?.end();
    this.#pulse = undefined;
    this.#client?.dispose();
    this.#client = undefined;
  }

  async #connect(address: string): Promise<TrainerClient> {
    // News of a trainer that was let go of meanwhile is no news of this run.
    const ofCurrent = (action: () => Promise<void>): void =>
      this.#later(async () => {
        if (this.#client === client) await action();
      });
    const client = await TrainerClient.connect(address, this.folder, this.#answerTimeoutMs, {
      onStatus: (status) => ofCurrent(() => this.#statusChanged(status)),
      onGrew: () => this.#grew(),
      onClose: () => ofCurrent(() => this.#closed()),
    });
    if (this.#isDisposed) client.dispose();
    return client;
  }

  async #statusChanged(status: RunStatus): Promise<void> {
    const before = this.#summary;
    if (before === undefined) return;
    if (isFinal(status.state)) {
      // It has said its last: whoever takes the folder on now has another address.
      this.#letGo();
      await this.#refresh(status);
      this.#grew();
      return;
    }
    this.#pulse?.hear(status);
    const heard = { ...before, status, unheard: this.#pulse?.unheard ?? null };
    if (status.checkpoint === before.status.checkpoint) {
      this.#tell(heard);
    } else {
      await this.#sessions.read();
      const checkpoints = await checkpointsOf(this.folder, this.#sessions);
      const adapter = await usableAdapter(this.folder, checkpoints);
      this.#tell({ ...heard, checkpoints, adapter });
    }
  }

  /** A trainer that ends closes its socket a little before its process is gone. */
  async #closed(attempt = 0): Promise<void> {
    if (this.#isDisposed) return;
    this.#letGo();
    const delay = LOOK_AGAIN_MS[attempt];
    const report = await readRunFolder(this.folder, this.#sessions);
    if (report?.summary.isLive && delay !== undefined) {
      const lookAgain = async (): Promise<void> => {
        if (this.#client === undefined) await this.#closed(attempt + 1);
      };
      this.#timer = setTimeout(() => this.#later(lookAgain), delay);
      return;
    }
    await this.#refresh();
    this.#grew();
  }

  /** Reads on what there is more of in the folder. */
  readonly #grew = throttle(READ_MS, () => {
    if (this.#isDisposed) return;
    if (this.#watcher !== undefined) this.#readOn(this.#watcher).catch(() => undefined);
    // Without a trainer nobody else tells that something changed.
    if (this.#client !== undefined || !this.#summary?.isLive || this.#isRefreshDue) return;
    this.#isRefreshDue = true;
    this.#later(async () => {
      this.#isRefreshDue = false;
      await this.#refresh();
    });
  });

  /** The journal of a run with a trainer is read by its followers alone, so that they find the damage. */
  async #readOn(watcher: RunWatcher): Promise<void> {
    await watcher.read();
    const { problem } = watcher;
    if (problem === this.#damage || this.#watcher !== watcher) return;
    this.#damage = problem;
    this.#later(() => this.#refresh());
  }

  /**
   * The end of a run of the command line, and that of a trainer that was killed before one was
   * connected to it, is told by nobody: one has to look.
   */
  #lookAfter({ isLive }: RunSummary): void {
    clearTimeout(this.#lookTimer);
    if (!isLive || this.#client !== undefined || this.#isDisposed) return;
    this.#lookTimer = setTimeout(() => this.#grew(), LOOK_MS);
  }

  #tell(summary: RunSummary): void {
    this.#lookAfter(summary);
    if (isDeepStrictEqual(summary, this.#summary)) return;
    this.#summary = summary;
    if (!this.#isDisposed) this.#listener.onChanged(summary);
  }

  /** A folder that cannot be read just now is looked at again with the next piece of news. */
  #later(action: () => Promise<void>): void {
    this.#inOrder(action).catch(() => undefined);
  }

  #inOrder(action: () => Promise<void>): Promise<void> {
    this.#news = this.#news.then(action, action);
    return this.#news;
  }
}
