import * as vscode from 'vscode';
import { listRuns, type RunSummary, runChanged } from '../../server/protocol.ts';
import type { ServerLink } from '../server-link.ts';
import { endedRuns, type RunList, sortRuns, withRun } from './run-list.ts';

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
  readonly #subscription: vscode.Disposable;
  #runs: RunList = [];
  #listing: Promise<void> | undefined;

  /** Fires after every change, with all runs. */
  readonly onDidChange = this.#didChange.event;
  /** Fires for each run that has ended since it was last seen live, in this or the last session. */
  readonly onDidEnd = this.#didEnd.event;

  /** @param memory where the live runs are remembered from one session of the window to the next */
  constructor(server: ServerLink, memory: vscode.Memento, log: vscode.LogOutputChannel) {
    this.#server = server;
    this.#memory = memory;
    this.#log = log;
    server.listen(runChanged, (run) => this.#replace(withRun(this.#runs, run)));
    // A server that was started again tells news only after it was asked for the list.
    this.#subscription = server.onDidStart(() => {
      this.#listing = this.#list().catch((error: unknown) => this.#log.error(String(error)));
    });
  }

  /** Sorted: live ones first, then the latest first. */
  get runs(): RunList {
    return this.#runs;
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

  /** Takes in what the server answered about one run, without waiting for its news. */
  add(run: RunSummary): void {
    this.#replace(withRun(this.#runs, run));
  }

  dispose(): void {
    this.#subscription.dispose();
    this.#didChange.dispose();
    this.#didEnd.dispose();
  }

  async #list(): Promise<void> {
    this.#replace(sortRuns(await this.#server.ask(listRuns, {})));
  }

  #replace(runs: RunList): void {
    const ended = endedRuns(new Set(this.#liveBefore), runs);
    this.#runs = runs;
    const live = runs.filter(({ isLive }) => isLive).map(({ folder }) => folder);
    if (live.join('\n') !== this.#liveBefore.join('\n')) {
      void this.#memory.update(MEMORY.live, live);
    }
    if (this.hasRuns !== runs.length > 0) void this.#memory.update(MEMORY.any, runs.length > 0);
    this.#didChange.fire(runs);
    for (const run of ended) this.#didEnd.fire(run);
  }

  get #liveBefore(): readonly string[] {
    return this.#memory.get<readonly string[]>(MEMORY.live, []);
  }
}
