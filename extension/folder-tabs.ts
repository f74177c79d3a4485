import * as vscode from 'vscode';
import { type FolderMove, movedPath } from './folder-move.ts';

/** A tab that shows a file as text. */
interface FileTab {
  readonly tab: vscode.Tab;
  readonly file: string;
}

/**
 * Shows files of a folder under its new name, in the place of tabs that show them under the old one. Tabs with
 * what was not saved stay: VS Code says of them that their file is gone, and nothing is lost.
 */
export async function moveTabs(move: FolderMove): Promise<void> {
  // What is in front of a group is shown last, and so stays in front.
  const tabs = tabsIn(move.from).toSorted(
    (a, b) => Number(a.tab.isActive) - Number(b.tab.isActive),
  );
  for (const { tab, file } of tabs) {
    const options = {
      viewColumn: tab.group.viewColumn,
      preview: tab.isPreview,
      preserveFocus: true,
    };
    // A file that is gone shows nothing, and a tab may be gone already: one that is a preview gives way to the next.
    await Promise.resolve(
      vscode.window.showTextDocument(vscode.Uri.file(movedPath(file, move)), options),
    ).catch(() => undefined);
    if (isOpen(tab)) await vscode.window.tabGroups.close(tab, true);
  }
}

/** Closes tabs that show files of a folder that is gone, but for those with what was not saved. */
export async function closeTabsIn(folder: string): Promise<void> {
  await vscode.window.tabGroups.close(
    tabsIn(folder).map(({ tab }) => tab),
    true,
  );
}

function isOpen(tab: vscode.Tab): boolean {
  return vscode.window.tabGroups.all.some(({ tabs }) => tabs.includes(tab));
}

function tabsIn(folder: string): readonly FileTab[] {
  return vscode.window.tabGroups.all
    .flatMap(({ tabs }) => tabs)
    .flatMap((tab) => {
      if (!(tab.input instanceof vscode.TabInputText) || tab.isDirty) return [];
      const { scheme, fsPath: file } = tab.input.uri;
      const isInside = movedPath(file, { from: folder, to: '' }) !== file;
      return scheme === 'file' && isInside ? [{ tab, file }] : [];
    });
}
