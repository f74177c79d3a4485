import * as vscode from 'vscode';
import { COMMANDS } from './ids.ts';
import { failureOf } from './server-link.ts';
import { type Choice, showError } from './show/notifications.ts';

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

  const choices: Choice[] = [];
  if (configFile !== undefined) {
    choices.push({
      title: vscode.l10n.t('Open Configuration'),
      run: () => vscode.window.showTextDocument(configFile),
    });
  }
  if (failure?.code === 'output.not_writable') {
    choices.push({
      title: vscode.l10n.t('Resume from Checkpoint…'),
      run: () => vscode.commands.executeCommand(COMMANDS.resumeFromCheckpoint),
    });
  }
  choices.push({ title: vscode.l10n.t('Show Logs'), run: () => log.show() });
  void showError(message, ...choices);
}
