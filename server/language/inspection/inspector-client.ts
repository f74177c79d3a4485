import { Worker } from 'node:worker_threads';
import {
  type CancellationToken,
  createMessageConnection,
  type MessageConnection,
  PortMessageReader,
  PortMessageWriter,
} from 'vscode-jsonrpc/node';
import type { RunEstimate } from '../../../engine/plan/estimate-run.ts';
import type { RequestMessage } from '../../rpc/message.ts';
import type { FileKnowledge } from '../value-completions.ts';
import type { Inspection } from './config-inspector.ts';
import {
  estimateConfig,
  estimateProgressed,
  inspectConfig,
  listColumns,
  listModules,
} from './inspector-protocol.ts';

/** Looks at the files that configurations name, without keeping its caller busy. */
export interface Inspector extends FileKnowledge {
  /** See `ConfigInspector.inspect`; cancelled, it answers with what was found so far. */
  inspect(file: string, text: string, token: CancellationToken): Promise<Inspection>;
}

/** Told now and then how far something is. */
export type OnProgress = (progress: {
  readonly task: string;
  readonly done: number;
  readonly total: number;
}) => void;

/** An inspector in a thread of its own, which is started when it is first needed. */
export class InspectorClient implements Inspector {
  readonly #script: string;
  #thread: { readonly worker: Worker; readonly connection: MessageConnection } | undefined;

  /** @param script the built `inspector-thread.ts` */
  constructor(script: string) {
    this.#script = script;
  }

  inspect(file: string, text: string, token: CancellationToken): Promise<Inspection> {
    return this.#ask(inspectConfig, { file, text }, token);
  }

  columns(names: readonly string[]): Promise<readonly string[]> {
    return this.#ask(listColumns, { names });
  }

  moduleNames(model: string): Promise<readonly string[]> {
    return this.#ask(listModules, { model });
  }

  /**
   * Estimates a run from all of its data; see `estimateRun`. That keeps the thread busy, so that it
   * is best asked of an inspector of its own, which is disposed of to cancel it.
   */
  estimate(file: string, onProgress: OnProgress): Promise<RunEstimate> {
    const answer = this.#ask(estimateConfig, { file });
    this.#thread?.connection.onNotification(estimateProgressed.method, onProgress);
    return answer;
  }

  /** Ends the thread, whatever it is doing. */
  async dispose(): Promise<void> {
    const thread = this.#thread;
    this.#thread = undefined;
    thread?.connection.dispose();
    await thread?.worker.terminate();
  }

  #ask<Params, Result>(
    { method }: RequestMessage<Params, Result>,
    params: Params,
    token?: CancellationToken,
  ): Promise<Result> {
    this.#thread ??= this.#start();
    return this.#thread.connection.sendRequest(method, params, token);
  }

  #start(): { worker: Worker; connection: MessageConnection } {
    const worker = new Worker(this.#script);
    // It must not keep the server alive, and one that died (of memory, say) is started again.
    worker.unref();
    const connection = createMessageConnection(
      new PortMessageReader(worker),
      new PortMessageWriter(worker),
    );
    const forget = (): void => {
      if (this.#thread?.worker === worker) this.#thread = undefined;
      connection.dispose();
    };
    worker.on('error', forget);
    worker.on('exit', forget);
    connection.listen();
    return { worker, connection };
  }
}
