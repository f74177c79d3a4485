import * as vscode from 'vscode';
import { CONFIG_EDITOR } from '../ids.ts';
import { uriOf } from '../uri-of.ts';

/** VS Code's own name of its text editor. */
const TEXT_EDITOR = 'default';

/** Shows the active editor's file as text, in its place. */
export function openAsText(): Thenable<unknown> {
  return vscode.commands.executeCommand('reopenActiveEditorWith', TEXT_EDITOR);
}

/**
 * Shows a run configuration as a form: a file of the explorer, or that of the active editor in its
 * place.
 */
export function openAsForm(arg?: unknown): Thenable<unknown> {
  const file = uriOf(arg);
  if (file !== undefined) {
    return vscode.commands.executeCommand('vscode.openWith', file, CONFIG_EDITOR);
  }
  return vscode.commands.executeCommand('reopenActiveEditorWith', CONFIG_EDITOR);
}
