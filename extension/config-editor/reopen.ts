import * as vscode from 'vscode';
import { CONFIG_EDITOR } from '../ids.ts';

/** VS Code's own name of its text editor. */
const TEXT_EDITOR = 'default';

/** Shows the active editor's file as text, in its place. */
export function openAsText(): Thenable<unknown> {
  return vscode.commands.executeCommand('reopenActiveEditorWith', TEXT_EDITOR);
}

/** Shows the active editor's run configuration as a form, in its place. */
export function openAsForm(): Thenable<unknown> {
  return vscode.commands.executeCommand('reopenActiveEditorWith', CONFIG_EDITOR);
}
