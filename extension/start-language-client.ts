import * as vscode from 'vscode';
import {
  CloseAction,
  type ErrorHandler,
  LanguageClient,
  type Message,
  type MessageTransports,
  type MessageWriter,
  RevealOutputChannelOn,
  State,
  TransportKind,
} from 'vscode-languageclient/node';
import { hubTokenGiven, proxyGiven } from '../server/protocol/hub.ts';
import { type InitializationOptions, PROTOCOL_VERSION } from '../server/protocol/initialization.ts';
import type { NotificationMessage } from '../server/rpc/message.ts';
import { followProblem } from './config-editor/follow-problem.ts';
import type { Secrets } from './hub/secrets.ts';
import { PRODUCT_NAME, SETTINGS_SECTION } from './ids.ts';
import { showError } from './show/notifications.ts';

/**
 * The library shows answers that are errors in notifications of its own, links and all. Here they
 * are in the log, and what nobody else tells is shown as text.
 */
class PlainLanguageClient extends LanguageClient {
  #writer: MessageWriter | undefined;

  protected override async createMessageTransports(encoding: string): Promise<MessageTransports> {
    const transports = await super.createMessageTransports(encoding);
    this.#writer = transports.writer;
    return transports;
  }

  /**
   * Sends a notification past everything that can be set to write down what is sent
   * (`lorafa.trace.server`).
   */
  async tellInSecret<Params>(
    { method }: NotificationMessage<Params>,
    params: Params,
  ): Promise<void> {
    const message: Message & { method: string; params: Params } = {
      jsonrpc: '2.0',
      method,
      params,
    };
    await this.#writer?.write(message);
  }

  /**
   * As often as the library does, a server that ended is started again at once. The library says of one that
   * ends more often that it is not started any more; but whoever needs it starts it (`language-client.ts`).
   */
  override createDefaultErrorHandler(maxRestartCount?: number): ErrorHandler {
    const library = super.createDefaultErrorHandler(maxRestartCount);
    return {
      error: async (...failure) => ({ ...(await library.error(...failure)), handled: true }),
      closed: async () => {
        const { action } = await library.closed();
        if (action === CloseAction.Restart) return { action, handled: true };
        const message = vscode.l10n.t(
          'The background server ended several times within minutes. It starts again when it is needed; until then views and panels show what they last heard.',
        );
        void showError(
          message,
          { title: vscode.l10n.t('Start Again'), run: () => this.#startIfNeeded() },
          { title: vscode.l10n.t('Show Logs'), run: () => this.outputChannel.show() },
        );
        return { action, message, handled: true };
      },
    };
  }

  async #startIfNeeded(): Promise<void> {
    if (!this.needsStart()) return;
    await this.start().catch((error: unknown) => this.error(String(error)));
  }

  override error(message: string, data?: unknown, showNotification?: boolean | 'force'): void {
    super.error(message, data, false);
    if (showNotification !== 'force') return;
    const title = vscode.l10n.t('Show Logs');
    void showError(message, { title, run: () => this.outputChannel.show() });
  }
}

/**
 * Starts the language server in a process of its own and waits until it answers.
 *
 * @param module path of the bundled language server
 * @param files the documents that it is told about
 * @param outputChannel where the client and the server log
 * @param onRunning called after this and each later start (a server that crashed is started again)
 * @param secrets what the server is told in secret, now and whenever it changes
 */
export async function startLanguageClient(
  module: string,
  files: { readonly scheme: string; readonly pattern: string },
  outputChannel: vscode.LogOutputChannel,
  onRunning: (client: LanguageClient) => void,
  secrets: Secrets,
): Promise<LanguageClient> {
  const initializationOptions: InitializationOptions = { protocolVersion: PROTOCOL_VERSION };
  const client = new PlainLanguageClient(
    SETTINGS_SECTION,
    PRODUCT_NAME,
    { module, transport: TransportKind.ipc },
    {
      documentSelector: [files],
      initializationOptions,
      outputChannel,
      revealOutputChannelOn: RevealOutputChannelOn.Never,
      middleware: {
        provideCodeActions: (document, range, context, token, next) => {
          followProblem(document, range, context);
          return next(document, range, context, token);
        },
      },
      initializationFailedHandler: (error) => {
        void showError(error instanceof Error ? error.message : String(error));
        return false;
      },
    },
  );
  const tellSecrets = async (): Promise<void> => {
    const token = (await secrets.hubToken()) ?? null;
    if (!client.isRunning()) return;
    await client.tellInSecret(hubTokenGiven, { token });
    await client.tellInSecret(proxyGiven, secrets.proxy());
  };
  client.onDidChangeState(({ newState }) => {
    if (newState !== State.Running) return;
    void tellSecrets();
    onRunning(client);
  });
  await client.start();
  // Before anybody asks for anything: a run that starts may need it.
  await tellSecrets();
  secrets.tell(tellSecrets);
  return client;
}
