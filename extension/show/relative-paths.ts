import * as vscode from 'vscode';
import { pathsFrom } from '../../server/relative-paths.ts';

/** A text for people in which files of the workspace are named as everywhere in VS Code. */
export function withRelativePaths(text: string): string {
  const folders = vscode.workspace.workspaceFolders ?? [];
  return pathsFrom(
    text,
    folders.map(({ name, uri }) => ({ name, path: uri.fsPath })),
  );
}
