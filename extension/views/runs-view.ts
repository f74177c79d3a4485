import * as vscode from 'vscode';
import type { RunSummary } from '../../server/protocol/runs.ts';
import { throttle } from '../../server/throttle.ts';
import { VIEWS } from '../ids.ts';
import {
  arrangeRuns,
  groupRuns,
  PLAIN_ARRANGEMENT,
  type RunArrangement,
  type RunGroup,
} from '../runs/arrange-runs.ts';
import type { RunStore } from '../runs/run-store.ts';
import { type TreeTexts, TreeView } from '../show/tree.ts';
import { lookOfRows } from './look-of-rows.ts';
import { groupItem, runItem } from './run-item.ts';

/** How often the view is drawn anew while runs go on, in milliseconds. */
const REFRESH_MS = 500;

/** Under which the window remembers how the user wants to see the runs. */
const MEMORY = 'lorafa.runArrangement';

/** A row of the view. */
type Row = RunSummary | RunGroup;

/** The view of runs: sorted, filtered and grouped as the user wants, several of which can be selected. */
export class RunsView implements vscode.TreeDataProvider<Row>, vscode.Disposable {
  readonly #store: RunStore;
  readonly #memory: vscode.Memento;
  readonly #onFailure: (error: unknown) => void;
  readonly #didChange = new vscode.EventEmitter<void>();
  readonly #view: TreeView<Row>;
  readonly #subscriptions: vscode.Disposable;
  /** How it was last drawn; see {@link ListView}. */
  #drawn: string | undefined;
  /** Runs that have ended since the view was last seen. */
  readonly #unseen = new Set<string>();

  readonly onDidChangeTreeData = this.#didChange.event;

  /**
   * @param memory where the arrangement is remembered
   * @param onFailure told what kept the runs from being read; the list is then empty
   */
  constructor(store: RunStore, memory: vscode.Memento, onFailure: (error: unknown) => void) {
    this.#store = store;
    this.#onFailure = onFailure;
    this.#memory = memory;
    this.#view = new TreeView<Row>(VIEWS.runs, this, true);
    const refresh = throttle(REFRESH_MS, () => this.refresh());
    this.#subscriptions = vscode.Disposable.from(
      this.#view,
      this.#didChange,
      store.onDidChange(refresh),
      store.onDidEnd(({ folder }) => {
        if (!this.#view.isVisible) this.#unseen.add(folder);
        refresh();
      }),
      this.#view.onDidChangeVisibility(() => {
        this.#unseen.clear();
        this.#showTexts();
      }),
    );
    this.#showTexts();
  }

  /** What is meant by a row: all that are selected where it is one of them, or else it alone. */
  rowsWith(row: unknown): readonly unknown[] {
    const { selection } = this.#view;
    return selection.some((each) => each === row) ? selection : [row];
  }

  get arrangement(): RunArrangement {
    return { ...PLAIN_ARRANGEMENT, ...this.#memory.get<Partial<RunArrangement>>(MEMORY) };
  }

  /** Shows the runs in another way, also in later sessions of the window. */
  arrange(change: Partial<RunArrangement>): void {
    void this.#memory.update(MEMORY, { ...this.arrangement, ...change });
    this.refresh();
  }

  /** Draws what there is now, where it looks different. */
  refresh(): void {
    this.#showTexts();
    if (this.#drawn !== this.#lookOf(this.#rows())) this.#didChange.fire();
  }

  getTreeItem(row: Row): vscode.TreeItem {
    return 'runs' in row ? groupItem(row) : runItem(row);
  }

  async getChildren(parent?: Row): Promise<Row[]> {
    if (parent !== undefined) return 'runs' in parent ? [...parent.runs] : [];
    // Nothing is started in a folder that is not trusted; the view says so itself.
    if (!vscode.workspace.isTrusted) return [];
    try {
      await this.#store.load();
    } catch (error) {
      this.#onFailure(error);
      this.#drawn = undefined;
      return [];
    }
    const rows = this.#rows();
    this.#drawn = this.#lookOf(rows);
    return [...rows];
  }

  #rows(): readonly Row[] {
    const { runs } = this.#store;
    const arranged = arrangeRuns(runs, this.arrangement);
    return this.arrangement.isGrouped ? groupRuns(arranged) : arranged;
  }

  #lookOf(rows: readonly Row[]): string {
    const all = rows.flatMap((row) => ('runs' in row ? [row, ...row.runs] : [row]));
    return lookOfRows(all.map((row) => this.getTreeItem(row)));
  }

  dispose(): void {
    this.#subscriptions.dispose();
  }

  #showTexts(): void {
    this.#view.showTexts({ ...this.#surroundings(), badge: this.#badge() });
  }

  #surroundings(): TreeTexts {
    const { runs, isKnown } = this.#store;
    const { filter } = this.arrangement;
    if (!vscode.workspace.isTrusted) return {};
    if (!isKnown) return { message: vscode.l10n.t('Looking for runs…') };
    if (filter === '' || runs.length === 0) return {};
    const { length } = arrangeRuns(runs, this.arrangement);
    return {
      description: vscode.l10n.t('{0} of {1}: {2}', length, runs.length, filter),
      ...(length === 0 && { message: vscode.l10n.t('No run has “{0}”.', filter) }),
    };
  }

  #badge(): TreeTexts['badge'] {
    const { size } = this.#unseen;
    if (size === 0) return undefined;
    return { value: size, tooltip: endedText(size) };
  }
}

function endedText(count: number): string {
  return count === 1
    ? vscode.l10n.t('A run has ended')
    : vscode.l10n.t('{0} runs have ended', count);
}
