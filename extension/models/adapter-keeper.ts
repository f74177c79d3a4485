import path from 'node:path';
import * as vscode from 'vscode';
import { formatBytes } from '../../server/cli/format.ts';
import {
  type AdapterFootprint,
  deleteAdapter,
  measureAdapter,
  renameAdapter,
} from '../../server/protocol/models.ts';
import type { FolderMove } from '../folder-move.ts';
import { COMMANDS } from '../ids.ts';
import type { ServerLink } from '../server-link.ts';
import { confirm, showInformation } from '../show/notifications.ts';
import { askForText } from '../show/quick-input.ts';
import { reveal } from '../show/reveal.ts';
import { adapterFolderOf, chooseAdapter } from './choose-adapter.ts';
import type { UsableAdapter } from './model-catalog.ts';

/** So many names are listed in a question. */
const NAMES = 10;

/**
 * What people do with adapters to keep them in order. The result of a run is its folder: it is renamed and deleted
 * with the run. What goes wrong is thrown as Error or as the server's error answer, with a sentence for people.
 */
export class AdapterKeeper {
  readonly #server: ServerLink;
  readonly #moves: vscode.EventEmitter<FolderMove>;

  /** @param moves told of adapters that have another name now */
  constructor(server: ServerLink, moves: vscode.EventEmitter<FolderMove>) {
    this.#server = server;
    this.#moves = moves;
  }

  async reveal(arg: unknown): Promise<void> {
    const folder = runFolderOf(arg) ?? adapterFolderOf(arg);
    if (folder !== undefined) return reveal(folder);
    const adapter = await chooseAdapter(this.#server, arg, vscode.l10n.t('Reveal which adapter?'));
    if (adapter !== undefined) await reveal(adapter.path);
  }

  async rename(arg: unknown): Promise<void> {
    const adapter = await this.#ownAdapter(arg, {
      title: vscode.l10n.t('Rename which adapter?'),
      runCommand: COMMANDS.renameRun,
    });
    if (adapter === undefined) return;
    const { path: folder, checkpointOf, name: before } = adapter;
    if (checkpointOf !== null) {
      const run = path.basename(checkpointOf);
      const text = vscode.l10n.t('A checkpoint is named after its step: rename its run, {0}.', run);
      const title = vscode.l10n.t('Rename Run…');
      return showInformation(text, {
        title,
        run: () => vscode.commands.executeCommand(COMMANDS.renameRun, checkpointOf),
      });
    }
    const name = await askForText({
      title: vscode.l10n.t('Rename {0}', before),
      prompt: vscode.l10n.t('The adapter’s folder gets this name'),
      value: before,
      problemOf: (text) =>
        text.trim() === '' ? vscode.l10n.t('An adapter needs a name.') : undefined,
    });
    if (name === undefined || name.trim() === before) return;
    const renamed = await this.#server.ask(renameAdapter, { folder, name: name.trim() });
    this.#moves.fire({ from: folder, to: renamed.folder });
  }

  /** Deletes an adapter when the user has seen what goes: to the trash, or for good where there is none. */
  async delete(arg: unknown): Promise<void> {
    const adapter = await this.#ownAdapter(arg, {
      title: vscode.l10n.t('Delete which adapter?'),
      runCommand: COMMANDS.deleteRun,
    });
    if (adapter === undefined) return;
    const { path: folder } = adapter;
    const footprint = await this.#server.ask(measureAdapter, { folder });
    const question = vscode.l10n.t('Delete the adapter in {0}?', folder);
    const detail = [...whatGoes(adapter, footprint)].join(' ');
    if (!(await confirm(question, vscode.l10n.t('Delete'), detail))) return;
    try {
      await moveToTrash(footprint.paths);
    } catch {
      const isAgreed = await confirm(
        vscode.l10n.t('Delete {0} for good?', adapter.name),
        vscode.l10n.t('Delete for Good'),
        vscode.l10n.t('It cannot be moved to the trash here.'),
      );
      if (isAgreed) await this.#server.ask(deleteAdapter, { folder });
    }
    await vscode.commands.executeCommand(COMMANDS.refreshViews);
  }

  /** The adapter that is meant; undefined for that of a run, with which its command is called instead. */
  async #ownAdapter(
    arg: unknown,
    { title, runCommand }: { readonly title: string; readonly runCommand: string },
  ): Promise<UsableAdapter | undefined> {
    const unfinished = runFolderOf(arg);
    const adapter =
      unfinished === undefined ? await chooseAdapter(this.#server, arg, title) : undefined;
    const run = adapter?.isResult ? adapter.path : unfinished;
    if (run === undefined) return adapter;
    await vscode.commands.executeCommand(runCommand, run);
    return undefined;
  }
}

/** The run of a row without an adapter, whose checkpoints stand below it. */
function runFolderOf(arg: unknown): string | undefined {
  const isRow = typeof arg === 'object' && arg !== null && 'adapter' in arg && 'folder' in arg;
  return isRow && arg.adapter === null && typeof arg.folder === 'string' ? arg.folder : undefined;
}

function* whatGoes(
  { checkpointOf }: UsableAdapter,
  { bytes, others }: AdapterFootprint,
): Generator<string> {
  const size = formatBytes(bytes);
  yield checkpointOf === null
    ? vscode.l10n.t('What it has learned goes ({0}); nothing else here can make it again.', size)
    : vscode.l10n.t(
        'What the run {0} had learned by then goes ({1}): it cannot be resumed from there, nor be tried.',
        path.basename(checkpointOf),
        size,
      );
  if (others.length > 0) {
    yield vscode.l10n.t('What is not the adapter’s stays: {0}.', others.slice(0, NAMES).join(', '));
  }
}

/** @throws where VS Code has no trash for these files */
async function moveToTrash(paths: readonly string[]): Promise<void> {
  for (const file of paths) {
    const options = { recursive: true, useTrash: true };
    await vscode.workspace.fs.delete(vscode.Uri.file(file), options);
  }
}
