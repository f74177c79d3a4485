import * as vscode from 'vscode';
import { requireAdapter } from '../../server/protocol.ts';
import type { ServerLink } from '../server-link.ts';
import { confirm, showInformation, showProgress } from '../show/notifications.ts';
import { chooseAdapter } from './choose-adapter.ts';
import { copyAdapter } from './copy-adapter.ts';
import type { UsableAdapter } from './model-catalog.ts';

/**
 * Copies an adapter, or that of a checkpoint, into a new folder inside one that the user chooses.
 *
 * @param arg see {@link chooseAdapter}
 * @throws Error or the server's error answer, with a sentence for people
 */
export async function exportAdapter(server: ServerLink, arg: unknown): Promise<void> {
  const adapter = await chooseAdapter(server, arg, vscode.l10n.t('Export which adapter?'));
  if (adapter === undefined) return;
  await server.ask(requireAdapter, { folder: adapter.path });
  // Without it VS Code begins where it was last, which may be the folder of a run.
  const defaultUri = vscode.workspace.workspaceFolders?.[0]?.uri;
  const chosen = await vscode.window.showOpenDialog({
    canSelectFolders: true,
    canSelectFiles: false,
    ...(defaultUri !== undefined && { defaultUri }),
    title: vscode.l10n.t('Choose where the folder of the adapter is made'),
    openLabel: vscode.l10n.t('Export Here'),
  });
  const parent = chosen?.[0];
  if (parent === undefined) return;
  const target = vscode.Uri.joinPath(parent, exportName(adapter));
  if (!(await mayReplace(target))) return;
  const options = { title: vscode.l10n.t('Exporting {0}', adapter.name), cancellable: true };
  const isWhole = await showProgress(options, (news, token) =>
    copyAdapter(vscode.Uri.file(adapter.path), target, news, token),
  );
  if (!isWhole) return;
  await showInformation(
    vscode.l10n.t('The adapter is in {0}; PEFT and others can load it.', target.fsPath),
    {
      title: vscode.l10n.t('Reveal'),
      run: () => vscode.commands.executeCommand('revealFileInOS', target),
    },
  );
}

/** Name of the new folder; that of a checkpoint has its run's name too. */
function exportName({ name }: UsableAdapter): string {
  return name.replaceAll(/[\\/]/g, '-');
}

/** Asks before files of an earlier export are replaced. */
async function mayReplace(target: vscode.Uri): Promise<boolean> {
  const isThere = await vscode.workspace.fs.stat(target).then(
    () => true,
    () => false,
  );
  if (!isThere) return true;
  const question = vscode.l10n.t('{0} is there already. Replace the adapter in it?', target.fsPath);
  return confirm(question, vscode.l10n.t('Replace'));
}
