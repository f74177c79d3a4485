import * as vscode from 'vscode';
import { CONFIG_EDITOR } from '../ids.ts';
import { fileOf } from './config-tabs.ts';
import { settleForms } from './open-forms.ts';

/** VS Code's own name of its text editor. */
const TEXT_EDITOR = 'default';

/** Shows the active editor's file as text, in its place. */
export function openAsText(): Promise<void> {
  return reopen(TEXT_EDITOR);
}

/** Shows the active editor's run configuration as a form, in its place. */
export function openAsForm(): Promise<void> {
  return reopen(CONFIG_EDITOR);
}

async function reopen(editor: string): Promise<void> {
  const { activeTab } = vscode.window.tabGroups.activeTabGroup;
  const file = activeTab && fileOf(activeTab);
  if (file !== undefined) await settleForms(file);
  await vscode.commands.executeCommand('reopenActiveEditorWith', editor);
}
