import * as vscode from 'vscode';
import { requireAdapter } from '../../server/protocol/models.ts';
import { COMMANDS } from '../ids.ts';
import type { ServerLink } from '../server-link.ts';
import { showInformation } from '../show/notifications.ts';
import { type PickRow, pick } from '../show/quick-input.ts';
import { readCatalog, type UsableAdapter } from './model-catalog.ts';
import { adapterOf } from './run-results.ts';

/**
 * The adapter that a command is for: the one that it was called for, or the user's choice.
 *
 * @param arg what the command was called with: a folder, or a row of a view
 * @param isOffered whether the user may choose it
 * @returns undefined when the user closed the question or there is none
 * @throws the server's error answer, or Error, with why there is no adapter where it was called for one
 */
export async function chooseAdapter(
  server: ServerLink,
  arg: unknown,
  title: string,
  isOffered: (adapter: UsableAdapter) => boolean = () => true,
): Promise<UsableAdapter | undefined> {
  const { adapters } = await readCatalog(server);
  const folder = adapterFolderOf(arg);
  if (folder !== undefined) {
    const known = adapterOf(folder, adapters);
    if (known !== undefined) return known;
    // The views still show it, perhaps.
    void vscode.commands.executeCommand(COMMANDS.refreshViews);
    await server.ask(requireAdapter, { folder });
    throw new Error(noAdapterIn(folder));
  }
  const offered = adapters.filter(isOffered);
  if (offered.length === 0) {
    void showInformation(
      vscode.l10n.t('There is no adapter in this workspace yet: start a run, which makes one.'),
      {
        title: vscode.l10n.t('Start Run'),
        run: () => vscode.commands.executeCommand(COMMANDS.startRun),
      },
    );
    return undefined;
  }
  const picked = await pick(offered.map(adapterRow), {
    title,
    matchOnDescription: true,
    matchOnDetail: true,
  });
  return picked?.adapter;
}

/** What is wrong with a folder that was taken for an adapter's. */
export function noAdapterIn(folder: string): string {
  return vscode.l10n.t('{0} holds no LoRA adapter that can be read.', folder);
}

/** The run of a row of the adapters' view without an adapter, whose checkpoints stand below it. */
export function unfinishedRunOf(arg: unknown): string | undefined {
  const isRow = typeof arg === 'object' && arg !== null && 'adapter' in arg && 'folder' in arg;
  return isRow && arg.adapter === null && typeof arg.folder === 'string' ? arg.folder : undefined;
}

/** The folder of the row that a command was called for, if any: of an adapter, or of a run without one. */
export function rowFolderOf(arg: unknown): string | undefined {
  return unfinishedRunOf(arg) ?? adapterFolderOf(arg);
}

/** The folder of an adapter that a command was called for, if any. */
export function adapterFolderOf(arg: unknown): string | undefined {
  if (typeof arg === 'string') return arg;
  if (typeof arg !== 'object' || arg === null) return undefined;
  if (arg instanceof vscode.Uri) return arg.fsPath;
  if ('path' in arg && typeof arg.path === 'string') return arg.path;
  // A row of the adapters' view with checkpoints below it, and one of the runs' view.
  if (!('adapter' in arg)) return undefined;
  return typeof arg.adapter === 'string' ? arg.adapter : adapterFolderOf(arg.adapter);
}

function adapterRow(adapter: UsableAdapter): PickRow & { readonly adapter: UsableAdapter } {
  return {
    icon: adapter.checkpointOf === null ? 'layers' : 'milestone',
    label: adapter.name,
    description: new Date(adapter.modified).toLocaleString(vscode.env.language),
    detail: vscode.workspace.asRelativePath(adapter.path),
    adapter,
  };
}
