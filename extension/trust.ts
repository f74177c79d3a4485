import * as vscode from 'vscode';
import { showWarning } from './show/notifications.ts';

/** Why something was not done in a folder that the user does not trust. */
export function untrustedMessage(): string {
  return vscode.l10n.t('LoRA-FA starts nothing in a folder that is not trusted; trust it first.');
}

/** Opens VS Code's own page on which a folder is trusted. */
export function manageTrust(): Thenable<unknown> {
  return vscode.commands.executeCommand('workbench.trust.manage');
}

/** Says why something was not done, with the way to VS Code's page on trust. */
export function tellUntrusted(): Promise<void> {
  const title = vscode.l10n.t('Manage Trust');
  return showWarning(untrustedMessage(), { title, run: manageTrust });
}
