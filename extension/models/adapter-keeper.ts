import path from 'node:path';
import * as vscode from 'vscode';
import { formatBytes } from '../../server/format.ts';
import {
  type AdapterFootprint,
  deleteAdapter,
  measureAdapter,
  renameAdapter,
} from '../../server/protocol/models.ts';
import { askFolderName } from '../ask-folder-name.ts';
import type { FolderMove } from '../folder-move.ts';
import { closeTabsIn } from '../folder-tabs.ts';
import { COMMANDS } from '../ids.ts';
import type { ServerLink } from '../server-link.ts';
import { confirm, showInformation } from '../show/notifications.ts';
import { reveal } from '../show/reveal.ts';
import { confirmForGood, moveToTrash } from '../trash.ts';
import type { AdaptersView } from '../views/adapters-view.ts';
import { chooseAdapter, rowFolderOf, unfinishedRunOf } from './choose-adapter.ts';
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
  readonly #view: Pick<AdaptersView, 'select' | 'whileRowGoes'>;

  /**
   * @param moves told of adapters that have another name now
   * @param view whose selection goes on where something has another name, or was deleted
   */
  constructor(
    server: ServerLink,
    moves: vscode.EventEmitter<FolderMove>,
    view: Pick<AdaptersView, 'select' | 'whileRowGoes'>,
  ) {
    this.#server = server;
    this.#moves = moves;
    this.#view = view;
  }

  async reveal(arg: unknown): Promise<void> {
    const folder = rowFolderOf(arg);
    if (folder !== undefined) return reveal(folder);
    const adapter = await chooseAdapter(this.#server, arg, vscode.l10n.t('Reveal which adapter?'));
    if (adapter !== undefined) await reveal(adapter.path);
  }

  async rename(arg: unknown): Promise<void> {
    const adapter = await this.#ownAdapter(arg, {
      title: vscode.l10n.t('Rename which adapter?'),
      runCommand: COMMANDS.renameRun,
      isOffered: ({ checkpointOf: run }) => run === null,
    });
    if (adapter === undefined) return;
    const { path: folder, checkpointOf } = adapter;
    if (checkpointOf !== null) {
      const run = path.basename(checkpointOf);
      const text = vscode.l10n.t('A checkpoint is named after its step: rename its run, {0}.', run);
      const title = vscode.l10n.t('Rename Run…');
      return showInformation(text, {
        title,
        run: () => vscode.commands.executeCommand(COMMANDS.renameRun, checkpointOf),
      });
    }
    const prompt = vscode.l10n.t('The adapter’s folder gets this name');
    const name = await askFolderName(folder, prompt);
    if (name === undefined) return;
    const renamed = await this.#server.ask(renameAdapter, { folder, name });
    this.#moves.fire({ from: folder, to: renamed.folder });
    if (arg !== undefined) await this.#view.select(renamed.folder);
  }

  /** Deletes an adapter when the user has seen what goes: to the trash, or for good where there is none. */
  async delete(arg: unknown): Promise<void> {
    const row = rowFolderOf(arg);
    if (row === undefined) await this.#delete(arg);
    else await this.#view.whileRowGoes(row, () => this.#delete(arg));
  }

  async #delete(arg: unknown): Promise<void> {
    const adapter = await this.#ownAdapter(arg, {
      title: vscode.l10n.t('Delete which adapter?'),
      runCommand: COMMANDS.deleteRun,
    });
    if (adapter === undefined) return;
    const { path: folder, name, checkpointOf } = adapter;
    const footprint = await this.#server.ask(measureAdapter, { folder });
    const question =
      checkpointOf === null
        ? vscode.l10n.t('Delete the adapter {0}?', name)
        : vscode.l10n.t('Delete the checkpoint {0}?', name);
    const detail = [...whatGoes(adapter, footprint)];
    if (!(await confirm(question, vscode.l10n.t('Delete'), detail))) return;
    // A run may have begun to write there while the question stood.
    const now = await this.#server.ask(measureAdapter, { folder });
    if (!(await this.#remove(adapter, now))) return;
    for (const gone of now.paths) await closeTabsIn(gone);
    await vscode.commands.executeCommand(COMMANDS.refreshViews);
  }

  /** @returns false where the user thought better of it */
  async #remove(
    { path: folder, name }: UsableAdapter,
    { paths, bytes }: AdapterFootprint,
  ): Promise<boolean> {
    try {
      await moveToTrash(paths);
      return true;
    } catch (error) {
      const question = vscode.l10n.t('Delete {0} for good?', name);
      const isAgreed = await confirmForGood(question, bytes, error);
      if (isAgreed) await this.#server.ask(deleteAdapter, { folder });
      return isAgreed;
    }
  }

  /** The adapter that is meant; undefined for that of a run, with which its command is called instead. */
  async #ownAdapter(
    arg: unknown,
    { title, runCommand, isOffered }: OwnQuestion,
  ): Promise<UsableAdapter | undefined> {
    const unfinished = unfinishedRunOf(arg);
    const adapter =
      unfinished === undefined
        ? await chooseAdapter(this.#server, arg, title, isOffered)
        : undefined;
    const run = adapter?.isResult ? adapter.path : unfinished;
    if (run === undefined) return adapter;
    await vscode.commands.executeCommand(runCommand, run);
    return undefined;
  }
}

/** What is asked of somebody who has called a command for no adapter. */
interface OwnQuestion {
  readonly title: string;
  /** The command that is for the results of runs. */
  readonly runCommand: string;
  readonly isOffered?: (adapter: UsableAdapter) => boolean;
}

/** What a question about a deletion says, a line each: what goes and how, what that means, and what stays. */
function* whatGoes(
  { path: folder, checkpointOf }: UsableAdapter,
  { paths, bytes, others }: AdapterFootprint,
): Generator<string> {
  const size = formatBytes(bytes);
  yield paths.includes(folder)
    ? vscode.l10n.t(
        'The folder {0} ({1}) goes to the trash; where there is none, you are asked again.',
        folder,
        size,
      )
    : vscode.l10n.t(
        'Its {0} files in {1} ({2}) go to the trash; where there is none, you are asked again.',
        paths.length,
        folder,
        size,
      );
  if (checkpointOf === null) {
    yield vscode.l10n.t('Nothing else here can make again what it has learned.');
  } else {
    const run = path.basename(checkpointOf);
    yield vscode.l10n.t('The run {0} can no more be resumed from there.', run);
    yield vscode.l10n.t('The run, its result and its other checkpoints stay.');
  }
  if (others.length > 0) {
    yield vscode.l10n.t('What is not the adapter’s stays: {0}.', others.slice(0, NAMES).join(', '));
  }
}
