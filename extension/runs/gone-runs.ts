import path from 'node:path';
import * as vscode from 'vscode';
import { showWarning } from '../show/notifications.ts';

/** So many names are listed. */
const NAMES = 10;

/** Tells of runs that somebody deleted, moved or renamed, in one notification. */
export function tellGone(folders: readonly string[]): void {
  const [first] = folders;
  if (first === undefined) return;
  const names = folders.slice(0, NAMES).map((folder) => path.basename(folder));
  const more = folders.length - names.length;
  void showWarning(
    folders.length === 1
      ? vscode.l10n.t('The run in {0} is not there any more.', first)
      : vscode.l10n.t(
          '{0} runs are not there any more: {1}.',
          folders.length,
          [...names, ...(more > 0 ? [`+${more}`] : [])].join(', '),
        ),
  );
}
