import * as vscode from 'vscode';
import {
  LanguageClient,
  RevealOutputChannelOn,
  State,
  TransportKind,
} from 'vscode-languageclient/node';
import { type InitializationOptions, PROTOCOL_VERSION } from '../server/protocol.ts';
import { followProblem } from './config-editor/follow-problem.ts';
import { PRODUCT_NAME, SETTINGS_SECTION } from './ids.ts';
import { showError } from './show/notifications.ts';

/**
 * The library shows answers that are errors in notifications of its own, links and all. Here they
 * are in the log, and what nobody else tells is shown as text.
 */
class PlainLanguageClient extends LanguageClient {
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
 */
export async function startLanguageClient(
  module: string,
  files: { readonly scheme: string; readonly pattern: string },
  outputChannel: vscode.LogOutputChannel,
  onRunning: (client: LanguageClient) => void,
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
  client.onDidChangeState(({ newState }) => {
    if (newState === State.Running) onRunning(client);
  });
  await client.start();
  return client;
}
