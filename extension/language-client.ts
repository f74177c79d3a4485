import * as vscode from 'vscode';
import type { LanguageClient } from 'vscode-languageclient/node';
import type { Secrets } from './hub/secrets.ts';
import { CONFIG_FILE_PATTERN } from './ids.ts';
import { untrustedMessage } from './trust.ts';

/** The language server as the rest of the extension sees it: not there until it is needed. */
export interface LazyLanguageClient extends vscode.Disposable {
  /**
   * The running client; starts the server at the first call. A window whose folder is not trusted
   * has none: nothing of this extension runs on the files of such a folder.
   *
   * @throws Error when the workspace is not trusted or the server does not start
   */
  started(): Promise<LanguageClient>;
  /** Fires whenever the server has started, also after it crashed and was started again. */
  readonly onDidStart: vscode.Event<LanguageClient>;
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
  secrets: Secrets,
): LazyLanguageClient {
  let client: Promise<LanguageClient> | undefined;
  const didStart = new vscode.EventEmitter<LanguageClient>();

  async function started(): Promise<LanguageClient> {
    if (!vscode.workspace.isTrusted) {
      throw new Error(untrustedMessage());
    }
    client ??= start(serverModule, log, didStart, secrets).catch((error: unknown) => {
      // The next one who needs the server tries again.
      client = undefined;
      throw error;
    });
    const made = await client;
    // The library gives a server up that crashes again and again; whoever needs it tries again.
    if (made.needsStart()) await made.start();
    return made;
  }

  function startIfNeeded(): void {
    const isNeeded = vscode.workspace.textDocuments.some(
      (document) => vscode.languages.match(CONFIG_FILES, document) > 0,
    );
    if (!isNeeded || !vscode.workspace.isTrusted || client !== undefined) return;
    started().catch((error: unknown) => log.error(String(error)));
  }

  startIfNeeded();
  const subscriptions = vscode.Disposable.from(
    didStart,
    vscode.workspace.onDidOpenTextDocument(startIfNeeded),
    vscode.workspace.onDidGrantWorkspaceTrust(startIfNeeded),
  );

  return {
    started,
    onDidStart: didStart.event,
    stop: async () => {
      await (await client)?.dispose();
    },
    dispose: () => subscriptions.dispose(),
  };
}

async function start(
  serverModule: string,
  log: vscode.LogOutputChannel,
  didStart: vscode.EventEmitter<LanguageClient>,
  secrets: Secrets,
): Promise<LanguageClient> {
  // By far the largest part of the extension: loaded now, so that activation stays quick.
  const { startLanguageClient } = await import('./start-language-client.ts');
  const onRunning = (client: LanguageClient): void => didStart.fire(client);
  return startLanguageClient(serverModule, CONFIG_FILES, log, onRunning, secrets);
}
