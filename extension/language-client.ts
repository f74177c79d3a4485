import * as vscode from 'vscode';
import { LanguageClient, TransportKind } from 'vscode-languageclient/node';
import { type InitializationOptions, PROTOCOL_VERSION } from '../server/protocol.ts';
import { CONFIG_FILE_PATTERN, PRODUCT_NAME, SETTINGS_SECTION } from './ids.ts';

/** The language server as the rest of the extension sees it: not there until it is needed. */
export interface LazyLanguageClient extends vscode.Disposable {
  /**
   * The running client; starts the server at the first call. A window whose folder is not trusted
   * has none: nothing of this extension runs on the files of such a folder.
   *
   * @throws Error when the workspace is not trusted or the server does not start
   */
  started(): Promise<LanguageClient>;
  /** Ends the server and waits until it has ended. */
  stop(): Promise<void>;
}

/** Files on disk: relative paths in a configuration start at its folder. */
const CONFIG_FILES = { scheme: 'file', pattern: `**/${CONFIG_FILE_PATTERN}` };

/**
 * Makes the client and starts it when the first run configuration is open in a trusted workspace,
 * or when someone asks for it.
 *
 * @param serverModule path of the bundled language server
 */
export function createLanguageClient(
  serverModule: string,
  log: vscode.LogOutputChannel,
): LazyLanguageClient {
  const initializationOptions: InitializationOptions = { protocolVersion: PROTOCOL_VERSION };
  const client = new LanguageClient(
    SETTINGS_SECTION,
    PRODUCT_NAME,
    { module: serverModule, transport: TransportKind.ipc },
    { documentSelector: [CONFIG_FILES], initializationOptions, outputChannel: log },
  );
  let starting: Promise<void> | undefined;

  async function started(): Promise<LanguageClient> {
    if (!vscode.workspace.isTrusted) {
      throw new Error(vscode.l10n.t('Trust this folder first: LoRA-FA runs nothing in it as yet.'));
    }
    starting ??= client.start();
    await starting;
    return client;
  }

  function startIfNeeded(): void {
    const isNeeded = vscode.workspace.textDocuments.some(
      (document) => vscode.languages.match(CONFIG_FILES, document) > 0,
    );
    if (!isNeeded || !vscode.workspace.isTrusted || starting !== undefined) return;
    started().catch((error: unknown) => log.error(String(error)));
  }

  startIfNeeded();
  const subscriptions = vscode.Disposable.from(
    vscode.workspace.onDidOpenTextDocument(startIfNeeded),
    vscode.workspace.onDidGrantWorkspaceTrust(startIfNeeded),
  );

  return {
    started,
    stop: async () => {
      if (starting !== undefined) await client.dispose();
    },
    dispose: () => subscriptions.dispose(),
  };
}
