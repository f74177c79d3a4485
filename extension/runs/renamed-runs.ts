import type * as vscode from 'vscode';
import { type FolderMove, movedPath } from '../folder-move.ts';

const KEY = 'lorafa.renamedRuns';
/** The latest are kept. */
const MOVES = 50;

/**
 * Names that runs have got, kept with the workspace from one session of the window to the next: a tab that nobody has looked at
 * since a reload, or since its run was renamed, remembers the old one.
 */
export class RenamedRuns {
  readonly #memory: vscode.Memento;

  constructor(memory: vscode.Memento) {
    this.#memory = memory;
  }

  async add(move: FolderMove): Promise<void> {
    await this.#memory.update(KEY, [...this.#moves, move].slice(-MOVES));
  }

  /** Where a run is whose folder was this one. */
  folderNow(folder: string): string {
    return this.#moves.reduce(movedPath, folder);
  }

  get #moves(): readonly FolderMove[] {
    return this.#memory.get<readonly FolderMove[]>(KEY, []);
  }
}
