import { setTimeout as delay } from 'node:timers/promises';
import type * as vscode from 'vscode';
import type { FoundAdapter } from '../../server/protocol/models.ts';
import { type FolderMove, movedPath } from '../folder-move.ts';
import { VIEWS } from '../ids.ts';
import { type AdapterBranch, adapterTree, neighbourOf } from '../models/adapter-tree.ts';
import type { RunStore } from '../runs/run-store.ts';
import type { TreeView } from '../show/tree.ts';
import { type AdapterRow, adapterItem, checkpointsBelow, folderOfRow } from './asset-items.ts';
import { ListView } from './list-view.ts';

/** How often a row is brought into sight, and the milliseconds between. */
const [REVEAL_TRIES, REVEAL_PAUSE_MS] = [5, 200];

/** The view of adapters, with the checkpoints that led to each below it. */
export class AdaptersView implements vscode.Disposable {
  readonly #list: ListView<AdapterRow>;
  readonly #view: TreeView<AdapterRow>;
  readonly #read: () => Promise<readonly FoundAdapter[]>;
  /** As it was last read. */
  #tree: readonly AdapterBranch[] = [];
  /** Folders of the adapters whose checkpoints are in sight: VS Code remembers that by a name that may change. */
  readonly #unfolded = new Set<string>();

  /**
   * @param read the adapters on disk
   * @param store knows how good those of runs are
   * @param onFailure told what `read` threw; the list is then empty
   */
  constructor(
    read: () => Promise<readonly FoundAdapter[]>,
    store: RunStore,
    onFailure: (error: unknown) => void,
  ) {
    this.#read = read;
    this.#list = new ListView<AdapterRow>(VIEWS.adapters, {
      read: () => this.#look(),
      draw: (row) => adapterItem(row, store.runs, this.#unfolded),
      onFailure,
      childrenOf: checkpointsBelow,
      parentOf: (row) =>
        this.#tree.find((branch) => checkpointsBelow(branch).some(isAt(folderOfRow(row)))),
    });
    this.#view = this.#list.view;
    this.#view.onDidExpand(({ element }) => this.#unfolded.add(folderOfRow(element)));
    this.#view.onDidCollapse(({ element }) => this.#unfolded.delete(folderOfRow(element)));
  }

  refresh(): void {
    this.#list.refresh();
  }

  /** Draws the list anew when something in it has another name; what was selected or unfolded stays so. */
  follow(move: FolderMove): void {
    const isUnfolded = this.#unfolded.delete(move.from);
    if (isUnfolded) this.#unfolded.add(move.to);
    const before = this.#selectedFolder;
    this.refresh();
    // Where the list was drawn from the disk before, VS Code remembers the new name as folded.
    if (isUnfolded) void this.#reveal(move.to, (row) => this.#view.unfold(row));
    const after = before && movedPath(before, move);
    if (after !== undefined && after !== before) void this.#select(after, false);
  }

  /** Selects an adapter that is new in the list, where one goes on by keyboard; nothing where nobody sees the list. */
  select(folder: string): Promise<void> {
    return this.#select(folder, true);
  }

  /** Does something by which a row may go: then one goes on with its neighbour. */
  async whileRowGoes(folder: string, action: () => Promise<void>): Promise<void> {
    // Once the row is gone, nobody knows beside which it stood.
    const next = neighbourOf(this.#tree, folder);
    await action();
    if (next === undefined || (await this.#rows()).some((row) => folderOfRow(row) === folder))
      return;
    await this.#select(next, true);
  }

  dispose(): void {
    this.#list.dispose();
  }

  get #selectedFolder(): string | undefined {
    const [selected] = this.#view.selection;
    return selected && folderOfRow(selected);
  }

  async #look(): Promise<readonly AdapterBranch[]> {
    this.#tree = adapterTree(await this.#read());
    return this.#tree;
  }

  async #rows(): Promise<readonly AdapterRow[]> {
    return (await this.#look()).flatMap((branch) => [branch, ...checkpointsBelow(branch)]);
  }

  #select(folder: string, takesFocus: boolean): Promise<void> {
    return this.#reveal(folder, (row) => this.#view.select(row, takesFocus));
  }

  async #reveal(folder: string, show: (row: AdapterRow) => Promise<void>): Promise<void> {
    // VS Code shows no row while the list is drawn anew, which a change of the disk may ask for just then.
    for (let tries = 0; tries < REVEAL_TRIES && this.#view.isVisible; tries++) {
      const row = (await this.#rows()).find((each) => folderOfRow(each) === folder);
      if (row === undefined) return;
      try {
        return await show(row);
      } catch {
        await delay(REVEAL_PAUSE_MS);
      }
    }
  }
}

function isAt(folder: string): (adapter: FoundAdapter) => boolean {
  return ({ path }) => path === folder;
}
