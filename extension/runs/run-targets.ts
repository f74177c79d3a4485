import type { RunSummary } from '../../server/protocol/runs.ts';
import type { RunsView } from '../views/runs-view.ts';
import { chooseRun, chooseRuns } from './choose-run.ts';
import type { RunActions } from './run-actions.ts';
import { abilitiesOf, type RunAbilities, type RunList } from './run-list.ts';
import type { RunPanels } from './run-panels.ts';
import type { RunStore } from './run-store.ts';

/** How runs are looked for that a command was called without. */
export interface RunQuestion {
  readonly title: string;
  /** One of these is needed; without any, every run will do. */
  readonly abilities?: readonly (keyof RunAbilities)[];
  /** Whether the run in front is not the one that is meant. */
  readonly isAnother?: boolean;
}

/** Finds out which runs a command is for: those of its row, that in front, or the user's choice. */
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
    const folder = folderOf(arg);
    if (folder !== undefined) return this.#present(folder);
    // Of a group one is asked which of its runs is meant.
    const group = foldersOf([arg]);
    const able = this.#able(abilities);
    const offered = group.length > 0 ? able.filter((run) => group.includes(run.folder)) : able;
    const inFront = offered.find((run) => run.folder === this.#panels.activeFolder);
    const isAsked = isAnother || group.length > 0 || inFront === undefined;
    const run = isAsked ? await chooseRun(offered, title) : inFront;
    return run && this.#present(run.folder);
  }

  /**
   * Any number of runs; undefined when the user closed the question, or was told that they are gone.
   *
   * @param arg a row of the view, which its menu and keys give: where it is one of those that are selected, all of
   * these are meant
   * @param selected the rows that are selected, as the menu gives them
   */
  async several(
    arg: unknown,
    selected: unknown,
    question: RunQuestion,
  ): Promise<RunList | undefined> {
    // Before anything is waited for: then the rows may have been drawn anew.
    const folders = foldersOf(Array.isArray(selected) ? selected : this.#view.rowsWith(arg));
    if ((await this.#actions.load()) === undefined) return undefined;
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
