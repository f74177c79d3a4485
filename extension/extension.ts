import type * as vscode from 'vscode';
import { registerCommands } from './commands.ts';
import { registerConfigEditor } from './config-editor/config-editor.ts';
import { alwaysOpenAs, openAsForm, openAsText } from './config-editor/reopen.ts';
import { watchConfigurations } from './config-editor/watch-configurations.ts';
import { secretsOf } from './hub/secrets.ts';
import { signIn } from './hub/sign-in.ts';
import { COMMANDS, PRODUCT_NAME } from './ids.ts';
import { createLanguageClient, type LazyLanguageClient } from './language-client.ts';
import { registerModels } from './register-models.ts';
import { registerRuns } from './register-runs.ts';
import { reportFailure } from './report-failure.ts';
import { ServerLink } from './server-link.ts';
import { createLog } from './show/log.ts';

/** VS Code calls `deactivate` without the context, so that what it must end is kept here. */
let languageClient: LazyLanguageClient | undefined;

/** Called by VS Code once per window, when the extension is first needed. Starts no process. */
export function activate(context: vscode.ExtensionContext): void {
  const log = createLog(PRODUCT_NAME);
  const secrets = secretsOf(context);
  const serverModule = context.asAbsolutePath('out/language-server.js');
  languageClient = createLanguageClient(serverModule, log, secrets);
  const server = new ServerLink(languageClient);
  context.subscriptions.push(log, secrets, languageClient, server);
  const { version } = context.extension.packageJSON as { readonly version: string };
  log.info(`${PRODUCT_NAME} ${version} on ${process.platform} ${process.arch}`);
  context.subscriptions.push(server.onDidStart(() => log.info('The background server runs.')));
  registerCommands(context, {
    [COMMANDS.openAsForm]: openAsForm,
    [COMMANDS.openAsText]: openAsText,
    [COMMANDS.alwaysForm]: () => alwaysOpenAs('form'),
    [COMMANDS.alwaysText]: () => alwaysOpenAs('text'),
    [COMMANDS.signIn]: () =>
      signIn(secrets, server).catch((error: unknown) => {
        reportFailure(error, log);
        return false;
      }),
    [COMMANDS.showLogs]: () => log.show(),
  });
  const runs = registerRuns(context, server, log);
  registerModels(context, { server, log, ...runs });
  context.subscriptions.push(
    registerConfigEditor(context.extensionUri, server, runs.devices),
    watchConfigurations(),
  );
}

/** Called by VS Code before the window closes; it waits a few seconds for the promise. */
export function deactivate(): Promise<void> | undefined {
  return languageClient?.stop();
}
