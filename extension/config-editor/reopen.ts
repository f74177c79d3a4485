import * as vscode from 'vscode';
import { CONFIG_EDITOR, CONFIG_FILE_PATTERN } from '../ids.ts';
import { showInformation } from '../show/notifications.ts';
import { uriOf } from '../uri-of.ts';
import { fileOf } from './config-tabs.ts';
import { isSettled } from './save-config.ts';

/** VS Code's own name of its text editor. */
const TEXT_EDITOR = 'default';

/** Shows the active editor's file as text, in its place. */
export function openAsText(): Promise<void> {
  return reopen(TEXT_EDITOR);
}

/**
 * Shows a run configuration as a form: a file of the explorer, or that of the active editor in its
 * place.
 */
export async function openAsForm(arg?: unknown): Promise<void> {
  const file = uriOf(arg);
  if (file === undefined) await reopen(CONFIG_EDITOR);
  else await vscode.commands.executeCommand('vscode.openWith', file, CONFIG_EDITOR);
}

/**
 * Makes form or text what configurations open as, by VS Code's own setting for that, and shows the
 * active one so.
 */
export async function alwaysOpenAs(kind: 'form' | 'text'): Promise<void> {
  const settings = vscode.workspace.getConfiguration('workbench');
  const known = settings.inspect<Readonly<Record<string, string>>>('editorAssociations');
  const editor = kind === 'form' ? CONFIG_EDITOR : TEXT_EDITOR;
  // What the folder says for these files would win over what the user says.
  const isOfFolder = known?.workspaceValue?.[CONFIG_FILE_PATTERN] !== undefined;
  const before = isOfFolder ? known?.workspaceValue : known?.globalValue;
  await settings.update(
    'editorAssociations',
    { ...before, [CONFIG_FILE_PATTERN]: editor },
    isOfFolder ? vscode.ConfigurationTarget.Workspace : vscode.ConfigurationTarget.Global,
  );
  const { activeTab } = vscode.window.tabGroups.activeTabGroup;
  const file = activeTab && fileOf(activeTab);
  if (file?.path.endsWith(CONFIG_FILE_PATTERN.slice(1))) await reopen(editor);
  else {
    void showInformation(
      kind === 'form'
        ? vscode.l10n.t('Run configurations open as forms from now on.')
        : vscode.l10n.t('Run configurations open as text from now on.'),
    );
  }
}

async function reopen(editor: string): Promise<void> {
  const { activeTab } = vscode.window.tabGroups.activeTabGroup;
  const file = activeTab && fileOf(activeTab);
  // One that does not answer is no reason to stay in it.
  if (file !== undefined) await isSettled(file);
  await vscode.commands.executeCommand('reopenActiveEditorWith', editor);
}
