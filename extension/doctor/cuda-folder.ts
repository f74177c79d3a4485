import * as vscode from 'vscode';
import { cudaFolderGiven } from '../../server/protocol/machine.ts';
import { SETTINGS, SETTINGS_SECTION } from '../ids.ts';
import type { ServerLink } from '../server-link.ts';

/**
 * Tells the server which folder the user chose for CUDA's libraries, whenever it starts and whenever that changes.
 *
 * @param onDidChange called when the server was told of another one
 */
export function tellCudaFolder(server: ServerLink, onDidChange: () => void): vscode.Disposable {
  const tell = (): void => server.tell(cudaFolderGiven, { folder: cudaFolder() });
  return vscode.Disposable.from(
    server.onDidStart(tell),
    vscode.workspace.onDidChangeConfiguration((change) => {
      if (!change.affectsConfiguration(`${SETTINGS_SECTION}.${SETTINGS.cudaFolder}`)) return;
      tell();
      onDidChange();
    }),
  );
}

/** Null where none is chosen. */
function cudaFolder(): string | null {
  const settings = vscode.workspace.getConfiguration(SETTINGS_SECTION);
  return settings.get<string>(SETTINGS.cudaFolder, '').trim() || null;
}
