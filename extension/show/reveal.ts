import * as vscode from 'vscode';
import { showInformation } from './notifications.ts';

/**
 * Shows a folder or file in the explorer, or outside of the workspace in the file manager of the system. Where VS
 * Code has none, in a browser or on another machine, its path is shown.
 */
export async function reveal(place: string): Promise<void> {
  const uri = vscode.Uri.file(place);
  if (vscode.workspace.getWorkspaceFolder(uri) !== undefined) {
    await vscode.commands.executeCommand('revealInExplorer', uri);
    return;
  }
  try {
    await vscode.commands.executeCommand('revealFileInOS', uri);
  } catch {
    await showInformation(place, {
      title: vscode.l10n.t('Copy Path'),
      run: () => vscode.env.clipboard.writeText(place),
    });
  }
}
