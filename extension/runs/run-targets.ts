import type { RunSummary } from '../../server/protocol/runs.ts';
import type { RunsView } from '../views/runs-view.ts';
import { chooseRun, chooseRuns } from './choose-run.ts';
import type { RunActions } from './run-actions.ts';
import { abilitiesOf, type RunAbilities, type RunList } from './run-list.ts';
import type { RunPanels } from './run-panel.ts';
import type { RunStore } from './run-store.ts';

/** How runs are looked for that a command was called without. */
export interface RunQuestion {
  readonly title: string;
  /** One of these is needed; without any, every run will do. */
  readonly abilities?: readonly (keyof RunAbilities)[];
  /** Whether the run in front is not the one that is meant. */
  readonly isAnother?: boolean;
}

/** Finds out which runs a command is for: those of the menu, the selected ones, that in front, or the user's choice. */
export class RunTargets {
  readonly #store: RunStore;
  readonly #actions: RunActions;
  readonly #panels: RunPanels;
  readonly #view: RunsView;

  constructor(store: RunStore, actions: RunActions, panels: RunPanels, view: RunsView) {
    this.#store = store;
    this.#actions = actions;
    this.#panels = panels;
    this.#view = view;
  }

  /** One run; undefined when the user closed the question, or was told that it is gone. */
  async one(
    arg: unknown,
    { title, abilities, isAnother = false }: RunQuestion,
  ): Promise<RunSummary | undefined> {
    if ((await this.#actions.load()) === undefined) return undefined;
    const folder =
      folderOf(arg) ?? (isSelection(arg) ? this.#view.selectedRuns[0]?.folder : undefined);
    if (folder !== undefined) return this.#present(folder);
    const able = this.#able(abilities);
    const inFront = able.find((run) => run.folder === this.#panels.activeFolder);
    const run = isAnother || inFront === undefined ? await chooseRun(able, title) : inFront;
    return run && this.#present(run.folder);
  }

  /**
   * Any number of runs; undefined when the user closed the question, or was told that they are gone.
   *
   * @param selected the rows that are selected in the view, as its menu gives them
   */
  async several(
    arg: unknown,
    selected: unknown,
    question: RunQuestion,
  ): Promise<RunList | undefined> {
    if ((await this.#actions.load()) === undefined) return undefined;
    const folders = isSelection(arg)
      ? this.#view.selectedRuns.map(({ folder }) => folder)
      : foldersOf(Array.isArray(selected) ? selected : [arg]);
    const runs = folders.length > 0 ? folders : await this.#choose(question);
    const present = runs && (await this.#actions.present(runs));
    return present?.length === 0 ? undefined : present;
  }

  async #choose({ title, abilities }: RunQuestion): Promise<readonly string[] | undefined> {
    const able = this.#able(abilities);
    const inFront = able.find((run) => run.folder === this.#panels.activeFolder);
    const chosen = inFront === undefined ? await chooseRuns(able, title, 1) : [inFront];
    return chosen?.map(({ folder }) => folder);
  }

  async #present(folder: string): Promise<RunSummary | undefined> {
    const [run] = await this.#actions.present([folder]);
    return run;
  }

  #able(abilities: RunQuestion['abilities']): RunList {
    return this.#store.runs.filter(
      (run) => abilities?.some((ability) => abilitiesOf(run)[ability]) ?? true,
    );
  }
}

/** What a key gives that is bound to a command of a view: its selected rows are meant. */
export function isSelection(arg: unknown): boolean {
  return typeof arg === 'object' && arg !== null && 'selection' in arg;
}

/** The folders of rows of the view, a group's runs among them. */
function foldersOf(rows: readonly unknown[]): readonly string[] {
  return rows.flatMap((row) => {
    const isGroup = typeof row === 'object' && row !== null && 'runs' in row;
    if (isGroup && Array.isArray(row.runs)) return foldersOf(row.runs);
    return folderOf(row) ?? [];
  });
}

/** A row of the view, or the folder itself. */
export function folderOf(arg: unknown): string | undefined {
  if (typeof arg === 'string') return arg;
  if (typeof arg !== 'object' || arg === null || !('folder' in arg)) return undefined;
  return typeof arg.folder === 'string' ? arg.folder : undefined;
}
