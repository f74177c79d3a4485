import * as vscode from 'vscode';
import { REPORT_SCHEME } from '../ids.ts';

/** Markdown documents that are made for reading and that nobody can change. */
export class Reports implements vscode.TextDocumentContentProvider, vscode.Disposable {
  readonly #didChange = new vscode.EventEmitter<vscode.Uri>();
  readonly #contents = new Map<string, string>();

  readonly onDidChange = this.#didChange.event;

  provideTextDocumentContent(uri: vscode.Uri): string {
    // VS Code shows after a reload of the window what it showed before.
    const lost = vscode.l10n.t('This report was not kept. Ask for it again.');
    return this.#contents.get(uri.path) ?? lost;
  }

  /** Shows a report, in place of an earlier one of the same name. */
  async show(name: string, markdown: string): Promise<void> {
    const uri = vscode.Uri.from({ scheme: REPORT_SCHEME, path: name });
    this.#contents.set(uri.path, markdown);
    this.#didChange.fire(uri);
    // VS Code's own Markdown extension can be switched off.
    await vscode.commands
      .executeCommand('markdown.showPreview', uri)
      .then(undefined, () => vscode.window.showTextDocument(uri));
  }

  dispose(): void {
    this.#didChange.dispose();
  }
}
