import type * as vscode from 'vscode';
import { type FolderMove, movedPath } from '../folder-move.ts';

const KEY = 'lorafa.renamedRuns';
/** The latest are kept. */
const MOVES = 50;

/**
 * Names that runs had, and those that they have now, kept with the workspace from one session of the window to the next: a tab that nobody has looked at
 * since a reload, or since its run was renamed, remembers the old one.
 */
export class RenamedRuns {
  readonly #memory: vscode.Memento;

  constructor(memory: vscode.Memento) {
    this.#memory = memory;
  }

  async add(move: FolderMove): Promise<void> {
    // What had the name before is known by its latest one, where it had an earlier one too.
    const earlier = this.#moves
      .map(({ from, to }) => ({ from, to: movedPath(to, move) }))
      .filter(({ from }) => from !== move.from);
    await this.#memory.update(KEY, [...earlier, move].slice(-MOVES));
  }

  /** Where the run is whose folder was this one; of several runs, the latest. */
  folderNow(folder: string): string {
    return this.#moves.find(({ from }) => from === folder)?.to ?? folder;
  }

  get #moves(): readonly FolderMove[] {
    return this.#memory.get<readonly FolderMove[]>(KEY, []);
  }
}
