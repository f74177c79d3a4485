import * as vscode from 'vscode';
import { COMMANDS } from './ids.ts';
import { failureOf } from './server-link.ts';

/**
 * Tells of a failure in a notification, with what one can do about it, and in the log. Does not wait
 * for the answer.
 *
 * @param configFile the configuration that the failure is about, if any
 */
export function reportFailure(
  error: unknown,
  log: vscode.LogOutputChannel,
  configFile?: vscode.Uri,
): void {
  const failure = failureOf(error);
  const message = error instanceof Error ? error.message : String(error);
  log.error([message, ...(failure?.problems ?? [])].join('\n  '));

  const actions = new Map<string, () => unknown>();
  if (configFile !== undefined) {
    actions.set(vscode.l10n.t('Open Configuration'), () =>
      vscode.window.showTextDocument(configFile),
    );
  }
  if (failure?.code === 'output.not_writable') {
    actions.set(vscode.l10n.t('Resume from Checkpoint…'), () =>
      vscode.commands.executeCommand(COMMANDS.resumeFromCheckpoint),
    );
  }
  actions.set(vscode.l10n.t('Show Logs'), () => log.show());
  void vscode.window.showErrorMessage(message, ...actions.keys()).then((chosen) => {
    if (chosen !== undefined) actions.get(chosen)?.();
  });
}
