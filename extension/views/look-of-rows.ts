import type * as vscode from 'vscode';

/** All that is to be seen of rows, as a text to compare; what is unfolded VS Code knows itself. */
export function lookOfRows(rows: readonly vscode.TreeItem[]): string {
  return JSON.stringify(rows, (key, value: unknown) =>
    key === 'collapsibleState' ? undefined : value,
  );
}
