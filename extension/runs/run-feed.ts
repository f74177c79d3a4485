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
export interface RunViewer {
  /** @param isStart these are the first entries of the journal: forget what was shown before */
  onEvents(entries: readonly JournalEntry[], isStart: boolean): void;
  /** @param isStart these are the first lines of the log: forget what was shown before */
  onLog(lines: readonly LogLine[], isStart: boolean): void;
}

/**
 * History and news of runs, for any number of viewers. Nothing is kept here: each new one makes
 * the server begin again from the start, for all viewers of that run.
 */
export class RunFeed implements vscode.Disposable {
  readonly #server: ServerLink;
  readonly #log: vscode.LogOutputChannel;
  readonly #viewers = new Map<string, Set<RunViewer>>();
  readonly #subscription: vscode.Disposable;

  constructor(server: ServerLink, log: vscode.LogOutputChannel) {
    this.#server = server;
    this.#log = log;
    server.listen(runEvents, ({ folder, entries, isStart }) => {
      for (const viewer of this.#viewersOf(folder)) viewer.onEvents(entries, isStart);
    });
    server.listen(runLog, ({ folder, lines, isStart }) => {
      for (const viewer of this.#viewersOf(folder)) viewer.onLog(lines, isStart);
    });
    this.#subscription = server.onDidStart(() => {
      for (const folder of this.#viewers.keys()) this.#request(watchRun, folder);
    });
  }

  /** Sends a viewer the run's history and then its news, until what is returned is disposed of. */
  watch(folder: string, viewer: RunViewer): vscode.Disposable {
    const viewers = this.#viewersOf(folder).add(viewer);
    this.#viewers.set(folder, viewers);
    this.#request(watchRun, folder);
    return new vscode.Disposable(() => {
      viewers.delete(viewer);
      if (viewers.size > 0 || this.#viewers.get(folder) !== viewers) return;
      this.#viewers.delete(folder);
      this.#request(unwatchRun, folder);
    });
  }

  dispose(): void {
    this.#subscription.dispose();
    this.#viewers.clear();
  }

  #viewersOf(folder: string): Set<RunViewer> {
    return this.#viewers.get(folder) ?? new Set();
  }

  #request(message: typeof watchRun | typeof unwatchRun, folder: string): void {
    this.#server.ask(message, { folder }).catch((error: unknown) => this.#log.warn(String(error)));
  }
}
