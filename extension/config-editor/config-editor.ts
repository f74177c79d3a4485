import * as vscode from 'vscode';
import type { KnownDevices } from '../doctor/known-devices.ts';
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
  devices: KnownDevices,
): vscode.Disposable {
  return vscode.Disposable.from(
    settleBeforeSaves(),
    keepOneTab(),
    vscode.window.registerCustomEditorProvider(
      CONFIG_EDITOR,
      {
        resolveCustomTextEditor: (document, panel) => {
          const form = new ConfigForm(document, panel, server, devices, takePlace(document.uri));
          openForm(form, panel, extensionUri);
        },
      },
      { supportsMultipleEditorsPerDocument: true },
    ),
  );
}

function openForm(form: ConfigForm, panel: vscode.WebviewPanel, extensionUri: vscode.Uri): void {
  const subscriptions = vscode.Disposable.from(form, addForm(form));
  panel.onDidDispose(() => subscriptions.dispose());
  const { webview } = panel;
  webview.options = { enableScripts: true, localResourceRoots: [webviewRoot(extensionUri)] };
  webview.html = renderWebviewPage(webview, extensionUri, {
    bundle: 'config-editor',
    title: vscode.workspace.asRelativePath(form.document.uri),
    texts: formTexts(),
  });
}
