import * as vscode from 'vscode';
import { plainLine } from '../../server/plain-text.ts';
import { LIMITS } from './limits.ts';

/** Opens a webview in the active column. */
export function openPanel(
  type: string,
  title: string,
  options: vscode.WebviewPanelOptions = {},
): vscode.WebviewPanel {
  const column = vscode.ViewColumn.Active;
  return vscode.window.createWebviewPanel(type, inTab(title), column, options);
}

/** Names the tab of a webview. */
export function titlePanel(panel: vscode.WebviewPanel, title: string): void {
  panel.title = inTab(title);
}

function inTab(title: string): string {
  return plainLine(title, LIMITS.label);
}
