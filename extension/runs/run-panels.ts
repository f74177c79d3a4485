import * as vscode from 'vscode';
import type { RunSummary } from '../../server/protocol/runs.ts';
import { PANELS } from '../ids.ts';
import { openPanel, panelTabs } from '../show/panel.ts';
import type { RunActions } from './run-actions.ts';
import { RunPanel } from './run-panel.ts';
import type { RunsContext } from './runs-context.ts';

/**
 * Opens run panels and restores them after a reload of the window. A panel that nobody has pinned is
 * used for the next run, so that looking at many runs does not leave many tabs.
 */
export class RunPanels implements vscode.WebviewPanelSerializer {
  readonly #context: RunsContext;
  readonly #actions: RunActions;
  readonly #open = new Set<RunPanel>();

  constructor(context: RunsContext, actions: RunActions) {
    this.#context = context;
    this.#actions = actions;
  }

  /** The run whose panel is in front. */
  get activeFolder(): string | undefined {
    return [...this.#open].find(({ isActive }) => isActive)?.folder;
  }

  /** Whether the user can see a run's panel. */
  isVisible(folder: string): boolean {
    return [...this.#open].some((panel) => panel.folder === folder && panel.isVisible);
  }

  /** @param preserveFocus whether the focus stays where it is */
  show(folder: string, name: string, preserveFocus: boolean): void {
    const own = this.#of(folder);
    const free = [...this.#open].findLast(({ isPinned }) => !isPinned);
    const before = own === undefined ? this.#unread(name) : [];
    if (own !== undefined) own.reveal(preserveFocus);
    else if (free !== undefined) {
      free.turnTo(folder, name);
      free.reveal(preserveFocus);
    } else this.#add(openPanel(PANELS.run, name, { preserveFocus }), folder);
    void vscode.window.tabGroups.close(before, true);
  }

  /** Goes on showing a run whose folder has another name now, be its tab in front or not. */
  follow(folder: string, renamed: RunSummary): void {
    this.#of(folder)?.turnTo(renamed.folder, renamed.name);
  }

  async deserializeWebviewPanel(panel: vscode.WebviewPanel, state: unknown): Promise<void> {
    const kept = folderOf(state);
    let isClosed = false;
    panel.onDidDispose(() => {
      isClosed = true;
    });
    const folder = kept === undefined ? undefined : await this.#folderNow(kept);
    if (isClosed) return;
    if (folder === undefined || this.#of(folder) !== undefined) panel.dispose();
    else this.#add(panel, folder);
  }

  /** Where the run is that a tab was left with. */
  async #folderNow(kept: string): Promise<string> {
    const { renamed, store } = this.#context;
    const now = renamed.folderNow(kept);
    if (now === kept) return kept;
    // Another run may have taken its name since.
    const isThere = await store.look(kept).then(
      (run) => run !== undefined,
      () => false,
    );
    return isThere ? kept : now;
  }

  /** Tabs of a run from before a reload, which VS Code restores only when they are shown. */
  #unread(name: string): readonly vscode.Tab[] {
    if ([...this.#open].some((panel) => panel.title === name)) return [];
    return panelTabs(PANELS.run).filter(({ label, isPinned }) => label === name && !isPinned);
  }

  #of(folder: string): RunPanel | undefined {
    return [...this.#open].find((panel) => panel.folder === folder);
  }

  #add(panel: vscode.WebviewPanel, folder: string): void {
    const made = new RunPanel(panel, folder, this.#context, this.#actions);
    this.#open.add(made);
    made.onDidDispose(() => this.#open.delete(made));
  }
}

/** What the page stored is data from outside: it may come from another version of the page. */
function folderOf(state: unknown): string | undefined {
  if (typeof state !== 'object' || state === null || !('folder' in state)) return undefined;
  return typeof state.folder === 'string' ? state.folder : undefined;
}
