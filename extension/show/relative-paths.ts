import path from 'node:path';
import * as vscode from 'vscode';

/**
 * A text for people in which files of the workspace are named from its folder on, as everywhere in
 * VS Code; with several folders, from the name of theirs.
 */
export function withRelativePaths(text: string): string {
  const folders = vscode.workspace.workspaceFolders ?? [];
  return folders.reduce((shown, { name, uri }) => {
    const start = folders.length > 1 ? `${name}${path.sep}` : '';
    return shownFrom(shown, uri.fsPath, start);
  }, text);
}

/** Replaces a folder where a path begins with it, and not inside of a longer one. */
function shownFrom(text: string, folder: string, start: string): string {
  const prefix = folder.endsWith(path.sep) ? folder : `${folder}${path.sep}`;
  let shown = '';
  let rest = text;
  for (;;) {
    const at = rest.indexOf(prefix);
    if (at === -1 || prefix === path.sep) return shown + rest;
    const isStart = !/[\p{L}\p{N}._~/\\-]$/u.test(shown + rest.slice(0, at));
    shown += rest.slice(0, at) + (isStart ? start : prefix);
    rest = rest.slice(at + prefix.length);
  }
}
