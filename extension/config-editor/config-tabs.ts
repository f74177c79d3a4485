import * as vscode from 'vscode';
import { CONFIG_EDITOR } from '../ids.ts';

/** The file that a tab shows, as text or as a form; undefined for tabs of other kinds. */
export function fileOf({ input }: vscode.Tab): vscode.Uri | undefined {
  if (input instanceof vscode.TabInputText) return input.uri;
  const isForm = input instanceof vscode.TabInputCustom && input.viewType === CONFIG_EDITOR;
  return isForm ? input.uri : undefined;
}

/** All tabs of a file, those of the active group first. */
export function tabsOf(file: vscode.Uri): readonly vscode.Tab[] {
  return vscode.window.tabGroups.all
    .toSorted((a, b) => Number(b.isActive) - Number(a.isActive))
    .flatMap(({ tabs }) => tabs)
    .filter((tab) => String(fileOf(tab)) === String(file));
}
