import * as vscode from 'vscode';
import type { ConfigPath } from '../../engine/config/config-error.ts';
import { tabsOf } from './config-tabs.ts';
import { formsOf } from './open-forms.ts';

/** A place in a configuration, for forms and for text editors. */
export interface ConfigPlace {
  readonly path: ConfigPath;
  readonly range: vscode.Range;
}

/** What forms are to show that are not there yet. */
const awaited = new Map<string, ConfigPath>();

/** What a new form of a file shows first, which it is told once. */
export function takePlace(file: vscode.Uri): ConfigPath | undefined {
  const path = awaited.get(String(file));
  awaited.delete(String(file));
  return path;
}

/**
 * Opens a configuration as the user's settings say, form or text, or goes to the tab that it has
 * already.
 *
 * @param place where the cursor goes
 */
export async function openConfig(file: vscode.Uri, place?: ConfigPlace): Promise<void> {
  const forms = formsOf(file);
  const form = forms.find(({ isVisible }) => isVisible) ?? forms[0];
  const tabs = tabsOf(file);
  const tab = tabs.find(({ isActive, group }) => isActive && group.isActive) ?? tabs[0];
  const isText = tab?.input instanceof vscode.TabInputText;
  const selection = place && { selection: place.range };
  if (isText) {
    const options = { viewColumn: tab.group.viewColumn, ...selection };
    await vscode.window.showTextDocument(file, options);
  } else if (form !== undefined && tab !== undefined) {
    form.reveal(place?.path ?? []);
  } else {
    if (place !== undefined) awaited.set(String(file), place.path);
    await vscode.commands.executeCommand('vscode.open', file, { preview: false, ...selection });
  }
}
