import * as vscode from 'vscode';

/**
 * A text that grows inside an editor while it is written. Its edits follow each other, each with all
 * that has come meanwhile, and are one step to undo (unless the document is saved meanwhile). When the user edits the document meanwhile or
 * closes it, the rest is dropped: nobody's text is overwritten.
 */
export class StreamedInsertion {
  readonly #editor: vscode.TextEditor;
  /** Where the next piece goes. */
  #offset: number;
  /** What the first edit removes. */
  readonly #replaced: vscode.Range;
  /** What stays selected; undefined where the first edit removes it. */
  readonly #kept: vscode.Selection | undefined;
  #pending: string;
  #isFirst = true;
  #isBroken = false;
  #work: Promise<void> = Promise.resolve();
  readonly #subscription: vscode.Disposable;
  #isEditing = false;

  constructor(editor: vscode.TextEditor, selection: vscode.Selection, place: 'below' | 'replace') {
    this.#editor = editor;
    const { document } = editor;
    const end = endOfLastLine(document, selection);
    this.#replaced = place === 'replace' ? selection : new vscode.Range(end, end);
    this.#kept = place === 'replace' ? undefined : selection;
    this.#pending = place === 'replace' ? '' : eolOf(document);
    this.#offset = document.offsetAt(this.#replaced.start);
    this.#subscription = vscode.workspace.onDidChangeTextDocument((change) => {
      const isOther = change.document === document && change.contentChanges.length > 0;
      if (isOther && !this.#isEditing) this.#isBroken = true;
    });
  }

  /** Puts a piece behind the earlier ones, soon. */
  add(piece: string): void {
    this.#pending += piece;
    this.#work = this.#work.then(() => this.#flush());
  }

  /** Resolves when all is in the editor. */
  async finish(): Promise<void> {
    await this.#work;
    this.#subscription.dispose();
  }

  async #flush(): Promise<void> {
    if (this.#pending === '' || this.#isBroken) return;
    const { document } = this.#editor;
    // As the document would keep it: positions are counted in its own line ends.
    const text = this.#pending.replaceAll(/\r?\n/g, eolOf(document));
    this.#pending = '';
    const at = document.positionAt(this.#offset);
    const range = this.#isFirst ? this.#replaced : new vscode.Range(at, at);
    this.#isEditing = true;
    const undo = { undoStopBefore: this.#isFirst, undoStopAfter: false };
    const isDone = await this.#editor
      .edit((edit) => edit.replace(range, text), undo)
      // The editor was closed.
      .then(undefined, () => false);
    this.#isEditing = false;
    if (!isDone) this.#isBroken = true;
    // A selection grows with what is inserted at its end.
    if (this.#isFirst && this.#kept !== undefined) this.#editor.selection = this.#kept;
    this.#isFirst = false;
    this.#offset += text.length;
  }
}

/** The end of the last line that a selection holds something of. */
function endOfLastLine(document: vscode.TextDocument, { start, end }: vscode.Selection) {
  const isBefore = end.character === 0 && end.line > start.line;
  return document.lineAt(isBefore ? end.line - 1 : end.line).range.end;
}

function eolOf({ eol }: vscode.TextDocument): string {
  return eol === vscode.EndOfLine.CRLF ? '\r\n' : '\n';
}
