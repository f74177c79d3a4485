import * as vscode from 'vscode';
import { CONFIG_FILE_PATTERN, CONTEXT_KEYS } from '../ids.ts';

/** Keeps the context key that says whether the workspace has something that can be started. */
export function watchConfigurations(): vscode.Disposable {
  const pattern = `**/${CONFIG_FILE_PATTERN}`;
  async function update(): Promise<void> {
    const [found] = await vscode.workspace.findFiles(pattern, '**/node_modules/**', 1);
    const isFound = found !== undefined;
    await vscode.commands.executeCommand('setContext', CONTEXT_KEYS.hasConfigurations, isFound);
  }
  const watcher = vscode.workspace.createFileSystemWatcher(pattern, false, true);
  void update();
  return vscode.Disposable.from(watcher, watcher.onDidCreate(update), watcher.onDidDelete(update));
}
