import { fileURLToPath } from 'node:url';
import {
  type Connection,
  DidChangeWorkspaceFoldersNotification,
  type WorkspaceFolder,
} from 'vscode-languageserver/node';

/**
 * Paths of the folders that are open in the editor, as far as they are on a disk.
 *
 * @returns a list that changes with them
 */
export function followOpenFolders(
  connection: Pick<Connection, 'onNotification'>,
  atFirst: readonly WorkspaceFolder[],
): readonly string[] {
  const open = pathsOf(atFirst);
  connection.onNotification(DidChangeWorkspaceFoldersNotification.type, ({ event }) => {
    const removed = pathsOf(event.removed);
    const stays = open.filter((folder) => !removed.includes(folder));
    open.splice(0, open.length, ...stays, ...pathsOf(event.added));
  });
  return open;
}

function pathsOf(folders: readonly WorkspaceFolder[]): string[] {
  return folders.filter(({ uri }) => uri.startsWith('file:')).map(({ uri }) => fileURLToPath(uri));
}
