import * as vscode from 'vscode';

/** Why something was not done in a folder that the user does not trust. */
export function untrustedMessage(): string {
  return vscode.l10n.t('LoRA-FA starts nothing in a folder that is not trusted; trust it first.');
}

/** Opens VS Code's own page on which a folder is trusted. */
export function manageTrust(): Thenable<unknown> {
  return vscode.commands.executeCommand('workbench.trust.manage');
}
