import type * as vscode from 'vscode';
import { LanguageClient, State, TransportKind } from 'vscode-languageclient/node';
import { type InitializationOptions, PROTOCOL_VERSION } from '../server/protocol.ts';
import { PRODUCT_NAME, SETTINGS_SECTION } from './ids.ts';

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
  const client = new LanguageClient(
    SETTINGS_SECTION,
    PRODUCT_NAME,
    { module, transport: TransportKind.ipc },
    { documentSelector: [files], initializationOptions, outputChannel },
  );
  client.onDidChangeState(({ newState }) => {
    if (newState === State.Running) onRunning(client);
  });
  await client.start();
  return client;
}
