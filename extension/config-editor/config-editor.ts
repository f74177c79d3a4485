import * as vscode from 'vscode';
import { CONFIG_EDITOR } from '../ids.ts';
import type { ServerLink } from '../server-link.ts';
import { renderWebviewPage, webviewRoot } from '../webview/webview-page.ts';
import { ConfigForm } from './config-form.ts';
import { formTexts } from './form-texts.ts';
import { keepOneTab } from './one-tab.ts';
import { addForm, settleBeforeSaves } from './open-forms.ts';
import { takePlace } from './show-place.ts';

/** Offers the form for run configurations. */
export function registerConfigEditor(
  extensionUri: vscode.Uri,
  server: ServerLink,
): vscode.Disposable {
  return vscode.Disposable.from(
    settleBeforeSaves(),
    keepOneTab(),
    vscode.window.registerCustomEditorProvider(
      CONFIG_EDITOR,
      {
        resolveCustomTextEditor: (document, panel) =>
          openForm(document, panel, extensionUri, server),
      },
      { supportsMultipleEditorsPerDocument: true },
    ),
  );
}

function openForm(
  document: vscode.TextDocument,
  panel: vscode.WebviewPanel,
  extensionUri: vscode.Uri,
  server: ServerLink,
): void {
  const form = new ConfigForm(document, panel, server, takePlace(document.uri));
  const subscriptions = vscode.Disposable.from(form, addForm(form));
  panel.onDidDispose(() => subscriptions.dispose());
  const { webview } = panel;
  webview.options = { enableScripts: true, localResourceRoots: [webviewRoot(extensionUri)] };
  webview.html = renderWebviewPage(webview, extensionUri, {
    bundle: 'config-editor',
    title: vscode.workspace.asRelativePath(document.uri),
    texts: formTexts(),
  });
}
