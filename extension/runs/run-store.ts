import * as vscode from 'vscode';
import {
  gpusRead,
  listRuns,
  lookAtRun,
  type RunSummary,
  runChanged,
  runGone,
} from '../../server/protocol/runs.ts';
import type { ServerLink } from '../server-link.ts';
import { GpuHistory } from './gpu-history.ts';
import type { GpuNews } from './gpu-texts.ts';
import { endedRuns, haveSameCheckpoints, type RunList, sortRuns, withNews } from './run-list.ts';

/**
 * News of many runs come together when a folder is read, and of a run of a tiny model more than a hundred
 * a second; those of this time are taken in at once.
 */
const NEWS_MS = 200;

/** What is remembered from one session of the window to the next. */
const MEMORY = {
  /** Folders of the runs that were live. */
  live: 'lorafa.liveRuns',
  /** Whether there were runs at all. */
  any: 'lorafa.hasRuns',
} as const;

/**
 * The runs that the window knows, as the server last told them. It asks the server only when
 * someone wants to see runs, or when one was live as the window was last closed.
 */
export class RunStore implements vscode.Disposable {
  readonly #server: ServerLink;
  readonly #memory: vscode.Memento;
  readonly #log: vscode.LogOutputChannel;
  readonly #didChange = new vscode.EventEmitter<RunList>();
  readonly #didEnd = new vscode.EventEmitter<RunSummary>();
  readonly #didChangeLive = new vscode.EventEmitter<void>();
  readonly #didChangeCheckpoints = new vscode.EventEmitter<void>();
  readonly #didVanish = new vscode.EventEmitter<RunSummary>();
  readonly #subscription: vscode.Disposable;
  #runs: RunList = [];
  #gpus: GpuNews = { gpus: [], isSilent: false };
  readonly gpuHistory = new GpuHistory();
  #isKnown = false;
  /** What was told of runs and is not taken in yet: null for a run that is gone. */
  readonly #news = new Map<string, RunSummary | null>();
  #newsTimer: NodeJS.Timeout | undefined;
  /** Of these, the runs that were live. */
  readonly #vanished = new Map<string, RunSummary>();
  #listing: Promise<void> | undefined;

  /** Fires after every change, also of what the GPUs do, with all runs. */
  readonly onDidChange = this.#didChange.event;
  /** Fires for each run that has ended since it was last seen live, in this or the last session. */
  readonly onDidEnd = this.#didEnd.event;
  /** Fires when other runs are live than before. */
  readonly onDidChangeLive = this.#didChangeLive.event;
  /** Fires when a run has written a checkpoint, or lost one; those of a run that is new or gone among them. */
  readonly onDidChangeCheckpoints = this.#didChangeCheckpoints.event;
  /** Fires for each run whose folder went while it was live, unless somebody looked for it and knows. */
  readonly onDidVanish = this.#didVanish.event;

  /** @param memory where the live runs are remembered from one session of the window to the next */
  constructor(server: ServerLink, memory: vscode.Memento, log: vscode.LogOutputChannel) {
    this.#server = server;
    this.#memory = memory;
    this.#log = log;
    server.listen(runChanged, (run) => this.#hear(run.folder, run));
    server.listen(runGone, ({ folder }) => this.#hear(folder, null));
    server.listen(gpusRead, ({ gpus }) => {
      // What they are is known all the same where nobody tells what they do.
      this.#gpus = { gpus: gpus ?? this.#gpus.gpus, isSilent: gpus === null };
      this.gpuHistory.add(gpus);
      this.#didChange.fire(this.#runs);
    });
    // A server that was started again tells news only after it was asked for the list.
    this.#subscription = server.onDidStart(() => {
      this.#listing = this.#list().catch((error: unknown) => this.#log.error(String(error)));
    });
  }

  /** Sorted: live ones first, then the latest first. */
  get runs(): RunList {
    return this.#runs;
  }

  /** NVIDIA's GPUs as they were last told of, while runs compute on them. */
  get gpus(): GpuNews {
    return this.#gpus;
  }

  /** Whether the runs on disk were read: until then an empty list means nothing. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  /** Whether a run was live when the window was last closed. */
  get expectsLiveRuns(): boolean {
    return this.#liveBefore.length > 0;
  }

  /** Whether there are runs, as far as is known without asking the server. */
  get hasRuns(): boolean {
    return this.#memory.get(MEMORY.any, false);
  }

  find(folder: string): RunSummary | undefined {
    return this.#runs.find((run) => run.folder === folder);
  }

  /** Resolves when the runs on disk are known. Throws when the server cannot be started. */
  async load(): Promise<RunList> {
    await this.#server.start();
    await this.#listing;
    return this.#runs;
  }

  /** Looks at the disk again. */
  async refresh(): Promise<void> {
    await this.load();
    await this.#list();
  }

  /** A run as it is now on disk, be it new; undefined where it is gone, which is taken in. */
  async look(folder: string): Promise<RunSummary | undefined> {
    const run = await this.#server.ask(lookAtRun, { folder });
    if (run === null) this.remove(folder);
    else if (this.find(folder) === undefined) this.add(run);
    return run ?? undefined;
  }

  /** Takes in what the server answered about one run, without waiting for its news. */
  add(run: RunSummary): void {
    this.#news.set(run.folder, run);
    this.#takeIn();
  }

  /** Takes in that there is no run in a folder any more. */
  remove(folder: string): void {
    this.#news.set(folder, null);
    this.#vanished.delete(folder);
    this.#takeIn();
  }

  dispose(): void {
    clearTimeout(this.#newsTimer);
    this.#subscription.dispose();
    this.#didChange.dispose();
    this.#didEnd.dispose();
    this.#didChangeLive.dispose();
    this.#didChangeCheckpoints.dispose();
    this.#didVanish.dispose();
  }

  async #list(): Promise<void> {
    const runs = await this.#server.ask(listRuns, {});
    this.#isKnown = true;
    this.#replace(sortRuns(runs));
  }

  #hear(folder: string, news: RunSummary | null): void {
    this.#news.set(folder, news);
    const before = this.find(folder);
    if (news === null && before?.isLive) this.#vanished.set(folder, before);
    this.#newsTimer ??= setTimeout(() => this.#takeIn(), NEWS_MS);
  }

  #takeIn(): void {
    clearTimeout(this.#newsTimer);
    this.#newsTimer = undefined;
    const vanished = [...this.#vanished.values()];
    this.#vanished.clear();
    const runs = withNews(this.#runs, this.#news);
    this.#news.clear();
    this.#replace(runs);
    for (const run of vanished) this.#didVanish.fire(run);
  }

  #replace(runs: RunList): void {
    const ended = endedRuns(new Set(this.#liveBefore), runs);
    const isSaved = !haveSameCheckpoints(this.#runs, runs);
    this.#runs = runs;
    const live = runs.filter(({ isLive }) => isLive).map(({ folder }) => folder);
    const hasOthersLive = live.join('\n') !== this.#liveBefore.join('\n');
    if (hasOthersLive) void this.#memory.update(MEMORY.live, live);
    if (this.hasRuns !== runs.length > 0) void this.#memory.update(MEMORY.any, runs.length > 0);
    this.#didChange.fire(runs);
    if (hasOthersLive) this.#didChangeLive.fire();
    for (const run of ended) this.#didEnd.fire(run);
    if (isSaved) this.#didChangeCheckpoints.fire();
  }

  get #liveBefore(): readonly string[] {
    return this.#memory.get<readonly string[]>(MEMORY.live, []);
  }
}
