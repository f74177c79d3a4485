import * as vscode from 'vscode';
import { plainLine } from '../../server/plain-text.ts';
import { LIMITS } from './limits.ts';

/** Opens a webview in the active column. */
export function openPanel(
  type: string,
  title: string,
  {
    preserveFocus = false,
    ...options
  }: vscode.WebviewPanelOptions & { readonly preserveFocus?: boolean } = {},
): vscode.WebviewPanel {
  const place = { viewColumn: vscode.ViewColumn.Active, preserveFocus };
  return vscode.window.createWebviewPanel(type, inTab(title), place, options);
}

/** The tabs of webviews of a type, those among them that VS Code has not restored yet. */
export function panelTabs(type: string): readonly vscode.Tab[] {
  return vscode.window.tabGroups.all
    .flatMap(({ tabs }) => tabs)
    .filter(
      // VS Code puts something of its own before the type.
      ({ input }) => input instanceof vscode.TabInputWebview && input.viewType.endsWith(type),
    );
}

/** Names the tab of a webview. */
export function titlePanel(panel: vscode.WebviewPanel, title: string): void {
  // Each time that it is set, VS Code draws the tab anew.
  const shown = inTab(title);
  if (panel.title !== shown) panel.title = shown;
}

function inTab(title: string): string {
  return plainLine(title, LIMITS.label);
}
