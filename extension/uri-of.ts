import * as vscode from 'vscode';

/** The file that a command was called for: one of the explorer, or its URI as code lenses give it. */
export function uriOf(arg: unknown): vscode.Uri | undefined {
  if (arg instanceof vscode.Uri) return arg;
  return typeof arg === 'string' ? vscode.Uri.parse(arg, true) : undefined;
}
