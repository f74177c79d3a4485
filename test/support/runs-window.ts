import { ResponseError } from 'vscode-jsonrpc';
import type { NvidiaGpu } from '../../engine/runtime/nvidia-smi.ts';
import type { FolderMove } from '../../extension/folder-move.ts';
import { RenamedRuns } from '../../extension/runs/renamed-runs.ts';
import { RunActions } from '../../extension/runs/run-actions.ts';
import { RunKeeper } from '../../extension/runs/run-keeper.ts';
import { RunStore } from '../../extension/runs/run-store.ts';
import type { RunsContext } from '../../extension/runs/runs-context.ts';
import {
  deleteRun,
  getRunConfig,
  getRunReports,
  gpusRead,
  listRuns,
  lookAtRun,
  measureRun,
  type RunSummary,
  runChanged,
  runGone,
} from '../../server/protocol/runs.ts';
import { RPC_ERRORS } from '../../server/rpc/message.ts';
import { Uri } from './vscode-files.ts';
import { EventEmitter } from './vscode-window.ts';

/** What the runs of a window are, as its server tells it; see the real ones in `test/server/runs/`. */
class RunsServer {
  /** The runs on disk, by their folders. */
  readonly disk: Map<string, RunSummary>;
  /** Folders of runs that a process holds. */
  readonly held = new Set<string>();
  readonly asked: string[] = [];
  readonly #handlers = new Map<string, (news: unknown) => void>();
  /** What it answers, by the method of the request. */
  readonly answers: Record<string, (folder: string) => unknown> = {
    [listRuns.method]: () => [...this.disk.values()],
    [lookAtRun.method]: (folder) => this.disk.get(folder) ?? null,
    [getRunConfig.method]: (folder) => ({ name: this.#present(folder).name }),
    [getRunReports.method]: () => null,
    [measureRun.method]: (folder) => {
      this.#present(folder);
      return { paths: [folder], bytes: 1024, checkpoints: 2, others: [] };
    },
    [deleteRun.method]: (folder) => {
      this.#present(folder);
      this.disk.delete(folder);
      return { bytes: 1024, others: [] };
    },
  };

  constructor(runs: readonly RunSummary[]) {
    this.disk = new Map(runs.map((run) => [run.folder, run]));
  }

  listen({ method }: { readonly method: string }, handler: (news: unknown) => void): void {
    this.#handlers.set(method, handler);
  }

  onDidStart = () => ({ dispose: () => undefined });
  start = async (): Promise<void> => undefined;

  async ask({ method }: { readonly method: string }, { folder }: { readonly folder: string }) {
    this.asked.push(method);
    return this.answers[method]?.(folder);
  }

  /** A run is another one from now on, or new. */
  change(run: RunSummary): void {
    this.disk.set(run.folder, run);
    this.#handlers.get(runChanged.method)?.(run);
  }

  /** GPUs were looked at. */
  readGpus(gpus: readonly NvidiaGpu[] | null): void {
    this.#handlers.get(gpusRead.method)?.({ gpus });
  }

  /** VS Code moves the folder of a run to its trash. */
  readonly trash = async ({ fsPath }: { readonly fsPath: string }): Promise<void> =>
    void this.disk.delete(fsPath);

  /** Somebody removes a run, and the server hears of it. */
  remove(folder: string): void {
    this.disk.delete(folder);
    this.#handlers.get(runGone.method)?.({ folder });
  }

  #present(folder: string): RunSummary {
    const run = this.disk.get(folder);
    if (run === undefined) throw failure('output.not_found', `${folder} is gone.`);
    if (this.held.has(folder)) throw failure('usage.invalid', `${folder} goes on.`);
    return run;
  }
}

function failure(code: string, message: string): ResponseError<unknown> {
  return new ResponseError(RPC_ERRORS.failed, message, { code });
}

/** A window that knows some runs, without a view or a panel. */
export async function runsWindow(runs: readonly RunSummary[]) {
  const server = new RunsServer(runs);
  const kept = new Map<string, unknown>();
  const memory = {
    get: (key: string, otherwise: unknown) => kept.get(key) ?? otherwise,
    update: async (key: string, value: unknown) => void kept.set(key, value),
  };
  const log = { error: () => undefined, info: () => undefined, show: () => undefined };
  const store = new RunStore(server as never, memory as never, log as never);
  await store.refresh();
  const feed = { watch: () => ({ dispose: () => undefined }) };
  const extensionUri = Uri.file('/extension');
  const moves = new EventEmitter<FolderMove>();
  const renamed = new RenamedRuns(memory as never);
  const parts = { extensionUri, server, store, log, feed, moves, renamed };
  const context = parts as unknown as RunsContext;
  const keeper = new RunKeeper(context);
  return { server, store, context, keeper, actions: new RunActions(context, keeper) };
}
