import * as vscode from 'vscode';
import { changedRange } from '../../server/language/config-edit.ts';
import { readTree } from '../../server/language/json-path.ts';

/** How often an edit is computed again because the text changed under it. */
const ATTEMPTS = 3;

/**
 * Changes a document as one step of its undo history. A text whose syntax is broken is not
 * touched: what a change would do to it cannot be known.
 *
 * @param change the new text, computed from the present one
 * @throws Error when VS Code refuses the edit, e.g. for a file that cannot be written
 */
export async function editDocument(
  document: vscode.TextDocument,
  change: (text: string) => string,
): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const before = document.getText();
    if (readTree(before).errorOffset !== undefined) return;
    const after = change(before);
    if (after === before) return;
    const { start, end, text } = changedRange(before, after);
    const edit = new vscode.WorkspaceEdit();
    const range = new vscode.Range(document.positionAt(start), document.positionAt(end));
    edit.replace(document.uri, range, text);
    // VS Code refuses an edit of a version that is no longer the newest.
    if (await vscode.workspace.applyEdit(edit)) return;
  }
  throw new Error(vscode.l10n.t('{0} could not be changed; is it read-only?', document.uri.fsPath));
}
