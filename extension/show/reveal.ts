import * as vscode from 'vscode';

/** Shows a folder in the explorer, or outside of the workspace in the file manager of the system. */
export async function reveal(folder: string): Promise<void> {
  const uri = vscode.Uri.file(folder);
  const isInside = vscode.workspace.getWorkspaceFolder(uri) !== undefined;
  await vscode.commands.executeCommand(isInside ? 'revealInExplorer' : 'revealFileInOS', uri);
}
