import * as vscode from 'vscode';
import { clearValue, NotAnObjectError, setValue } from '../../server/language/config-edit.ts';
import { COMMANDS, CONFIG_EDITOR } from '../ids.ts';
import type { ServerLink } from '../server-link.ts';
import { showError } from '../show/notifications.ts';
import { renderWebviewPage, webviewRoot } from '../webview/webview-page.ts';
import { browse } from './browse.ts';
import { watchColumns } from './data-columns.ts';
import { editDocument } from './edit-document.ts';
import { readFormState, type TextProblem } from './form-state.ts';
import { formTexts } from './form-texts.ts';
import {
  type ColumnsMessage,
  type FormState,
  type PageMessage,
  pageMessageSchema,
  type StateMessage,
} from './messages.ts';
import { openAsText } from './reopen.ts';

/**
 * Offers the form for run configurations. The text document is the truth: the form sends edits and
 * shows what the text says then, so that undo, dirty state, saving and text editors beside it are
 * VS Code's own.
 */
export function registerConfigEditor(
  extensionUri: vscode.Uri,
  server: ServerLink,
): vscode.Disposable {
  return vscode.window.registerCustomEditorProvider(
    CONFIG_EDITOR,
    {
      resolveCustomTextEditor: (document, panel) => openForm(document, panel, extensionUri, server),
    },
    { supportsMultipleEditorsPerDocument: true },
  );
}

function openForm(
  document: vscode.TextDocument,
  { webview, onDidDispose }: vscode.WebviewPanel,
  extensionUri: vscode.Uri,
  server: ServerLink,
): void {
  let answeredEdit = 0;
  let state: FormState = { values: {}, syntaxError: null, problems: [] };
  /** Messages are handled one after the other: each edit starts from the text of the one before. */
  let last: Promise<unknown> = Promise.resolve();

  const lookAtColumns = watchColumns(document, server, (columns) => {
    lastColumns = { type: 'columns', columns };
    void webview.postMessage(lastColumns);
  });
  let lastColumns: ColumnsMessage = { type: 'columns', columns: [] };

  function sendState(): void {
    state = readFormState(document.getText(), problemsOf(document), state.values);
    const message: StateMessage = { type: 'state', state, answeredEdit };
    void webview.postMessage(message);
    lookAtColumns();
  }

  async function handle(message: PageMessage): Promise<unknown> {
    switch (message.type) {
      case 'ready':
        answeredEdit = 0;
        void webview.postMessage(lastColumns);
        return sendState();
      case 'set':
      case 'clear':
        await tryEdit(document, (text) =>
          message.type === 'set'
            ? setValue(text, message.path, message.value)
            : clearValue(text, message.path),
        );
        answeredEdit = message.edit;
        return sendState();
      case 'browse': {
        const chosen = await browse(document, message.kind);
        if (chosen === undefined) return;
        return tryEdit(document, (text) => setValue(text, message.path, chosen));
      }
      case 'command':
        return message.command === 'openAsText'
          ? openAsText()
          : vscode.commands.executeCommand(COMMANDS[message.command], document.uri);
    }
  }

  function reportFailure(error: unknown): void {
    void showError(error instanceof Error ? error.message : String(error));
  }

  const subscriptions = vscode.Disposable.from(
    webview.onDidReceiveMessage((data: unknown) => {
      const message = pageMessageSchema.parse(data);
      // A dialog may stay open for long, and a command may run for long: edits do not wait for it.
      const isEdit = message.type === 'set' || message.type === 'clear';
      if (isEdit) last = last.then(() => handle(message)).catch(reportFailure);
      else handle(message).catch(reportFailure);
    }),
    vscode.workspace.onDidChangeTextDocument((event) => {
      if (event.document === document) sendState();
    }),
    vscode.languages.onDidChangeDiagnostics(({ uris }) => {
      if (uris.some((uri) => String(uri) === String(document.uri))) sendState();
    }),
  );
  onDidDispose(() => subscriptions.dispose());

  webview.options = { enableScripts: true, localResourceRoots: [webviewRoot(extensionUri)] };
  webview.html = renderWebviewPage(webview, extensionUri, {
    bundle: 'config-editor',
    title: vscode.workspace.asRelativePath(document.uri),
    texts: formTexts(),
  });
}

async function tryEdit(
  document: vscode.TextDocument,
  change: (text: string) => string,
): Promise<void> {
  try {
    await editDocument(document, change);
  } catch (error) {
    if (!(error instanceof NotAnObjectError)) throw error;
    const name =
      error.path.length === 0 ? vscode.l10n.t('the file') : `\`${error.path.join('.')}\``;
    void showError(
      vscode.l10n.t('Nothing was changed: {0} holds another value than an object { }.', name),
      { title: vscode.l10n.t('Open as Text'), run: openAsText },
    );
  }
}

function problemsOf(document: vscode.TextDocument): readonly TextProblem[] {
  return vscode.languages.getDiagnostics(document.uri).map(({ range, severity, message }) => ({
    offset: document.offsetAt(range.start),
    severity: SEVERITIES[severity],
    message,
  }));
}

const SEVERITIES: Readonly<Record<vscode.DiagnosticSeverity, TextProblem['severity']>> = {
  [vscode.DiagnosticSeverity.Error]: 'error',
  [vscode.DiagnosticSeverity.Warning]: 'warning',
  [vscode.DiagnosticSeverity.Information]: 'info',
  [vscode.DiagnosticSeverity.Hint]: 'info',
};
