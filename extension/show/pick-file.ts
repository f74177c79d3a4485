import * as vscode from 'vscode';
import { byName } from '../by-name.ts';
import { pick } from './quick-input.ts';

/** Lets the user choose one of some files by their paths in the workspace; undefined when the list was closed. */
export async function pickFile(
  files: readonly vscode.Uri[],
  title: string,
): Promise<vscode.Uri | undefined> {
  const rows = files
    .map((uri) => ({ label: vscode.workspace.asRelativePath(uri), uri }))
    .toSorted((a, b) => byName(a.label, b.label));
  return (await pick(rows, { title }))?.uri;
}
