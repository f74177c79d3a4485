import * as vscode from 'vscode';
import { TreeView } from '../show/tree.ts';
import { lookOfRows } from './look-of-rows.ts';

/** What a {@link ListView} shows, and how. */
export interface ListViewOptions<Element> {
  /** The elements in their order. */
  readonly read: () => Promise<readonly Element[]>;
  readonly draw: (element: Element) => vscode.TreeItem;
  /** Told what `read` threw; the list is then empty. */
  readonly onFailure: (error: unknown) => void;
  /** What stands below an element; nothing by default. */
  readonly childrenOf?: (element: Element) => readonly Element[];
  /** What an element stands below, for those that are to be selected. */
  readonly parentOf?: (element: Element) => Element | undefined;
}

/**
 * A view of rows, perhaps with others below them, read when it is first shown and when it is told to refresh.
 *
 * While VS Code draws a view anew its rows stand for nothing: a command of their menu is called without any. So it
 * does that only where there is something else to be seen, and does not wait for what is read.
 */
export class ListView<Element> implements vscode.TreeDataProvider<Element>, vscode.Disposable {
  readonly view: TreeView<Element>;
  readonly #options: ListViewOptions<Element>;
  readonly #didChange = new vscode.EventEmitter<void>();
  /** How it was last drawn; undefined before. */
  #drawn: string | undefined;
  /** What is drawn next, if that was read already. */
  #next: readonly Element[] | undefined;
  /** Of several looks, each waits for the one before; and one that has not begun is enough for all who want one. */
  #looking: Promise<void> = Promise.resolve();
  #isDue = false;

  readonly onDidChangeTreeData = this.#didChange.event;

  constructor(id: string, options: ListViewOptions<Element>) {
    this.#options = options;
    this.view = new TreeView<Element>(id, this, false);
  }

  /** Looks at what there is now, and draws it where it looks different. */
  refresh(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    this.#looking = this.#looking.then(() => {
      this.#isDue = false;
      return this.#look();
    });
  }

  getTreeItem(element: Element): vscode.TreeItem {
    return this.#options.draw(element);
  }

  getParent(element: Element): Element | undefined {
    return this.#options.parentOf?.(element);
  }

  async getChildren(parent?: Element): Promise<Element[]> {
    if (parent !== undefined) return [...this.#childrenOf(parent)];
    const elements = this.#next ?? (await this.#read());
    this.#next = undefined;
    this.#drawn = this.#lookOf(elements);
    return [...elements];
  }

  dispose(): void {
    this.view.dispose();
    this.#didChange.dispose();
  }

  async #look(): Promise<void> {
    // Who does not see it reads nothing: VS Code asks when it comes into sight.
    if (this.#drawn === undefined || !this.view.isVisible) {
      this.#next = undefined;
      return this.#didChange.fire();
    }
    const elements = await this.#read();
    if (this.#lookOf(elements) === this.#drawn && this.#next === undefined) return;
    this.#next = elements;
    this.#didChange.fire();
  }

  async #read(): Promise<readonly Element[]> {
    // Nothing is started in a folder that is not trusted; the view says so itself.
    if (!vscode.workspace.isTrusted) return [];
    try {
      return await this.#options.read();
    } catch (error) {
      this.#options.onFailure(error);
      return [];
    }
  }

  #childrenOf(element: Element): readonly Element[] {
    return this.#options.childrenOf?.(element) ?? [];
  }

  /** What stands for rows is compared too: commands are called with it. */
  #lookOf(elements: readonly Element[]): string {
    const all = elements.flatMap((element) => [element, ...this.#childrenOf(element)]);
    return JSON.stringify(elements) + lookOfRows(all.map(this.#options.draw));
  }
}
