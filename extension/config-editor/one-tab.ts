import * as vscode from 'vscode';
import { CONFIG_FILE_PATTERN } from '../ids.ts';
import { fileOf, tabsOf } from './config-tabs.ts';

/**
 * Keeps one tab for a configuration in each group of editors. VS Code opens a file as its settings
 * say even where a tab shows it the other way; the one that was opened last stays. Form and text
 * stand beside each other in two groups.
 */
export function keepOneTab(): vscode.Disposable {
  return vscode.window.tabGroups.onDidChangeTabs(({ opened }) => {
    for (const tab of opened) {
      const file = fileOf(tab);
      if (file === undefined || !file.path.endsWith(CONFIG_FILE_PATTERN.slice(1))) continue;
      const others = tabsOf(file).filter((other) => other !== tab && other.group === tab.group);
      // Closing one that has changes would ask whether to save them.
      const closed = others.filter(({ isDirty }) => !isDirty);
      if (closed.length > 0)
        void vscode.window.tabGroups.close(closed, true).then(undefined, ignore);
    }
  });
}

/** VS Code has closed it meanwhile. */
function ignore(): void {}
