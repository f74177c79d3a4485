import * as vscode from 'vscode';
import type { LanguageClient } from 'vscode-languageclient/node';
import type { NotificationMessage, RequestFailure, RequestMessage } from '../server/rpc/message.ts';
import type { LazyLanguageClient } from './language-client.ts';

/**
 * Requests to the background server, questions and news from it, typed by `server/protocol/`. A request
 * starts the server if need be; listening does not.
 */
export class ServerLink implements vscode.Disposable {
  readonly #languageClient: LazyLanguageClient;
  readonly #listeners: ((client: LanguageClient) => vscode.Disposable)[] = [];
  readonly #didStart = new vscode.EventEmitter<void>();
  readonly #subscription: vscode.Disposable;
  /** The client that the listeners are attached to; it stays the same when its server restarts. */
  #client: LanguageClient | undefined;

  /** Fires after each start of the server: what it was asked to watch before is forgotten. */
  readonly onDidStart = this.#didStart.event;

  constructor(languageClient: LazyLanguageClient) {
    this.#languageClient = languageClient;
    this.#subscription = languageClient.onDidStart((client) => {
      if (client !== this.#client) for (const attach of this.#listeners) attach(client);
      this.#client = client;
      this.#didStart.fire();
    });
  }

  /** Starts the server if need be. Throws as {@link LazyLanguageClient.started} does. */
  async start(): Promise<void> {
    await this.#languageClient.started();
  }

  /**
   * Asks the server. Throws its error answer, whose message is a sentence for people.
   *
   * @param token ends what the server does for this question; it answers even so
   */
  async ask<Params, Result>(
    { method }: RequestMessage<Params, Result>,
    params: Params,
    token?: vscode.CancellationToken,
  ): Promise<Result> {
    const client = await this.#languageClient.started();
    return token === undefined
      ? client.sendRequest<Result>(method, params)
      : client.sendRequest<Result>(method, params, token);
  }

  /** Sends a message that nobody answers; while no server runs nobody gets it. */
  tell<Params>({ method }: NotificationMessage<Params>, params: Params): void {
    if (this.#client?.isRunning() === true) void this.#client.sendNotification(method, params);
  }

  /** Calls `handler` for each message of a kind, whenever the server runs. */
  listen<Params>(
    { method, params: schema }: NotificationMessage<Params>,
    handler: (params: Params) => void,
  ): void {
    this.#attach((client) =>
      client.onNotification(method, (params: unknown) => handler(schema.parse(params))),
    );
  }

  /** Answers questions of a kind that the server has, whenever it runs. */
  answer<Params, Result>(
    { method, params: schema }: RequestMessage<Params, Result>,
    handler: (params: Params) => Promise<Result>,
  ): void {
    this.#attach((client) =>
      client.onRequest<unknown, unknown>(method, (params) => handler(schema.parse(params))),
    );
  }

  #attach(attach: (client: LanguageClient) => vscode.Disposable): void {
    this.#listeners.push(attach);
    if (this.#client !== undefined) attach(this.#client);
  }

  dispose(): void {
    this.#subscription.dispose();
    this.#didStart.dispose();
  }
}

/** What an error answer of the server carries beside its sentence; undefined for other errors. */
export function failureOf(error: unknown): RequestFailure | undefined {
  if (!(error instanceof Error) || !('data' in error)) return undefined;
  const { data } = error;
  const isFailure = typeof data === 'object' && data !== null && 'code' in data;
  return isFailure ? (data as RequestFailure) : undefined;
}
