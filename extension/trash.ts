import * as vscode from 'vscode';
import { formatBytes } from '../server/format.ts';
import { messageOf } from './report-failure.ts';
import { confirm } from './show/notifications.ts';

/**
 * Moves files and folders to the trash, in their order.
 *
 * @throws what VS Code throws, also where it has no trash for them
 */
export async function moveToTrash(paths: readonly string[]): Promise<void> {
  for (const file of paths) {
    const options = { recursive: true, useTrash: true };
    await vscode.workspace.fs.delete(vscode.Uri.file(file), options);
  }
}

/**
 * Asks whether what could not be moved to the trash shall go for good.
 *
 * @param bytes that it takes
 * @param error what {@link moveToTrash} threw
 * @param what lines that say what it is, where the question does not
 */
export function confirmForGood(
  question: string,
  bytes: number,
  error: unknown,
  what: readonly string[] = [],
): Promise<boolean> {
  const size = formatBytes(bytes);
  return confirm(question, vscode.l10n.t('Delete for Good'), [
    ...what,
    ...(isForWantOfTrash(error)
      ? [vscode.l10n.t('There is no trash here: {0} go at once.', size)]
      : [
          vscode.l10n.t('It could not be moved to the trash: {0}', messageOf(error)),
          vscode.l10n.t('Without the trash, {0} go at once.', size),
        ]),
  ]);
}

/** Whether files could not be moved because there is no trash, which VS Code tells by no code: servers have none. */
function isForWantOfTrash(error: unknown): boolean {
  const { remoteName, uiKind } = vscode.env;
  const isOnServer = remoteName !== undefined || uiKind === vscode.UIKind.Web;
  // Whether there is one VS Code finds out first; what it says of files has a code.
  const isAboutFiles = error instanceof vscode.FileSystemError && error.code !== 'Unknown';
  return isOnServer && !isAboutFiles;
}
