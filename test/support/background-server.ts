import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  createMessageConnection,
  IPCMessageReader,
  IPCMessageWriter,
  type MessageConnection,
} from 'vscode-jsonrpc/node';
import type { JournalEntry } from '../../engine/train/journal-entry.ts';
import { PROTOCOL_VERSION } from '../../server/protocol/initialization.ts';
import { type RunSummary, runChanged, runEvents } from '../../server/protocol/runs.ts';
import type { RequestMessage } from '../../server/rpc/message.ts';

/** The language server as the extension starts it, bundled and over IPC, and all that it tells. */
export class BackgroundServer {
  readonly process: ChildProcess;
  readonly connection: MessageConnection;
  /** Each change of a run, in order. */
  readonly summaries: RunSummary[] = [];
  /** The journals of the watched runs, as they are sent. */
  readonly entries: JournalEntry[] = [];
  /** Resolves when the process is gone. */
  readonly ended: Promise<undefined>;
  readonly #waiting = new Set<() => void>();

  /**
   * @param programs folder of the bundles
   * @param env on top of this process's environment; its `XDG_STATE_HOME` is where runs are
   * registered on Linux (elsewhere in the user's own registry)
   */
  constructor(programs: string, env: Readonly<Record<string, string>>) {
    this.process = fork(path.join(programs, 'language-server.js'), ['--node-ipc'], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      env: { ...process.env, ...env },
    });
    this.connection = createMessageConnection(
      new IPCMessageReader(this.process),
      new IPCMessageWriter(this.process),
    );
    this.connection.onNotification(runChanged.method, (summary: RunSummary) => {
      this.summaries.push(summary);
      this.#wake();
    });
    this.connection.onNotification(runEvents.method, (news: { entries: JournalEntry[] }) => {
      this.entries.push(...news.entries);
      this.#wake();
    });
    this.ended = once(this.process, 'exit').then(() => this.#wake());
    this.connection.listen();
  }

  /** Opens a folder, as the first thing that is asked of a server. */
  async open(folder: string, protocolVersion = PROTOCOL_VERSION): Promise<void> {
    await this.connection.sendRequest('initialize', {
      processId: process.pid,
      capabilities: {},
      workspaceFolders: [{ uri: pathToFileURL(folder).href, name: 'tests' }],
      initializationOptions: { protocolVersion },
    });
  }

  get hasEnded(): boolean {
    return this.process.exitCode !== null || this.process.signalCode !== null;
  }

  ask<Params, Result>(message: RequestMessage<Params, Result>, params: Params): Promise<Result> {
    return this.connection.sendRequest<Result>(message.method, params);
  }

  /** The latest that was told of a run. */
  latest(folder: string): RunSummary | undefined {
    return this.summaries.findLast((summary) => summary.folder === folder);
  }

  /** Resolves when a condition on what was told holds. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiting.add(resolve));
  }

  /** Resolves with the next piece of news, with the end of the server, or after a while. */
  async untilNews(atMostMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#waiting.add(resolve);
      timer = setTimeout(resolve, atMostMs);
    });
    clearTimeout(timer);
  }

  /** Ends the server as a crash would. */
  async kill(): Promise<void> {
    this.connection.dispose();
    this.process.kill('SIGKILL');
    await this.ended;
  }

  #wake(): undefined {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}
