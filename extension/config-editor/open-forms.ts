import * as vscode from 'vscode';
import type { ConfigPath } from '../../engine/config/config-error.ts';

/** A form in a tab of this window. */
export interface OpenForm {
  readonly document: vscode.TextDocument;
  /** Whether it is to be seen. */
  readonly isVisible: boolean;
  /** Resolves when what was typed in it stands in the document. @throws Error when its page does not answer */
  settle(): Promise<void>;
  /** Brings it to the front with the cursor in the field of a key. */
  reveal(path: ConfigPath): void;
  /** Shows the field of a key and leaves the focus where it is. */
  follow(path: ConfigPath): void;
}

const forms = new Set<OpenForm>();

/** Makes a form known until the result is disposed of. */
export function addForm(form: OpenForm): vscode.Disposable {
  forms.add(form);
  return new vscode.Disposable(() => forms.delete(form));
}

/** The forms of a file. */
export function formsOf(file: vscode.Uri): readonly OpenForm[] {
  return [...forms].filter(({ document }) => String(document.uri) === String(file));
}

/**
 * Resolves when what was typed in the forms of a file stands in its document.
 *
 * @throws Error that says so when a form does not answer
 */
export async function settleForms(file: vscode.Uri): Promise<void> {
  await Promise.all(formsOf(file).map((form) => form.settle()));
}

/**
 * Lets a file be saved as it is on the screen: a form writes what is typed at the next pause, and
 * whoever presses the keys for saving does not wait for that.
 */
export function settleBeforeSaves(): vscode.Disposable {
  return vscode.workspace.onWillSaveTextDocument((event) => {
    // VS Code saves by itself while people type, when half a number should not be written yet.
    if (event.reason !== vscode.TextDocumentSaveReason.Manual) return;
    if (formsOf(event.document.uri).length > 0) event.waitUntil(settleForms(event.document.uri));
  });
}
