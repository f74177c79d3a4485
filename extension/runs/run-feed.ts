import * as vscode from 'vscode';
import type { JournalEntry } from '../../engine/train/journal-entry.ts';
import {
  type LogLine,
  runEvents,
  runLog,
  unwatchRun,
  watchRun,
} from '../../server/protocol/runs.ts';
import type { ServerLink } from '../server-link.ts';

/** Who looks at a run. */
export interface RunListener {
  /** @param isStart these are the first entries of the journal: forget what was shown before */
  onEvents(entries: readonly JournalEntry[], isStart: boolean): void;
  /** @param isStart these are the first lines of the log: forget what was shown before */
  onLog(lines: readonly LogLine[], isStart: boolean): void;
}

/**
 * History and news of runs, for any number of watchers. Nothing is kept here: each new watcher makes
 * the server begin again from the start, for all watchers of that run.
 */
export class RunFeed implements vscode.Disposable {
  readonly #server: ServerLink;
  readonly #log: vscode.LogOutputChannel;
  readonly #watchers = new Map<string, Set<RunListener>>();
  readonly #subscription: vscode.Disposable;

  constructor(server: ServerLink, log: vscode.LogOutputChannel) {
    this.#server = server;
    this.#log = log;
    server.listen(runEvents, ({ folder, entries, isStart }) => {
      for (const watcher of this.#watchersOf(folder)) watcher.onEvents(entries, isStart);
    });
    server.listen(runLog, ({ folder, lines, isStart }) => {
      for (const watcher of this.#watchersOf(folder)) watcher.onLog(lines, isStart);
    });
    this.#subscription = server.onDidStart(() => {
      for (const folder of this.#watchers.keys()) this.#request(watchRun, folder);
    });
  }

  /** Sends a watcher the run's history and then its news, until what is returned is disposed of. */
  watch(folder: string, watcher: RunListener): vscode.Disposable {
    const watchers = this.#watchersOf(folder).add(watcher);
    this.#watchers.set(folder, watchers);
    this.#request(watchRun, folder);
    return new vscode.Disposable(() => {
      watchers.delete(watcher);
      if (watchers.size > 0 || this.#watchers.get(folder) !== watchers) return;
      this.#watchers.delete(folder);
      this.#request(unwatchRun, folder);
    });
  }

  dispose(): void {
    this.#subscription.dispose();
    this.#watchers.clear();
  }

  #watchersOf(folder: string): Set<RunListener> {
    return this.#watchers.get(folder) ?? new Set();
  }

  #request(message: typeof watchRun | typeof unwatchRun, folder: string): void {
    this.#server.ask(message, { folder }).catch((error: unknown) => this.#log.warn(String(error)));
  }
}
