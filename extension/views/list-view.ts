import * as vscode from 'vscode';

/** A view of rows, perhaps with others below them, read when it is first shown and when it is told to refresh. */
export class ListView<Element> implements vscode.TreeDataProvider<Element> {
  readonly #read: () => Promise<readonly Element[]>;
  readonly #draw: (element: Element) => vscode.TreeItem;
  readonly #onFailure: (error: unknown) => void;
  readonly #childrenOf: (element: Element) => readonly Element[];
  readonly #parentOf: (element: Element) => Element | undefined;
  readonly #didChange = new vscode.EventEmitter<void>();

  readonly onDidChangeTreeData = this.#didChange.event;

  /**
   * @param read the elements in their order
   * @param onFailure told what `read` threw; the list is then empty
   * @param childrenOf what stands below an element; nothing by default
   * @param parentOf what an element stands below, for those that are to be selected
   */
  constructor(
    read: () => Promise<readonly Element[]>,
    draw: (element: Element) => vscode.TreeItem,
    onFailure: (error: unknown) => void,
    childrenOf: (element: Element) => readonly Element[] = () => [],
    parentOf: (element: Element) => Element | undefined = () => undefined,
  ) {
    this.#read = read;
    this.#draw = draw;
    this.#onFailure = onFailure;
    this.#childrenOf = childrenOf;
    this.#parentOf = parentOf;
  }

  refresh(): void {
    this.#didChange.fire();
  }

  getTreeItem(element: Element): vscode.TreeItem {
    return this.#draw(element);
  }

  getParent(element: Element): Element | undefined {
    return this.#parentOf(element);
  }

  async getChildren(parent?: Element): Promise<Element[]> {
    // Nothing is started in a folder that is not trusted; the view says so itself.
    if (parent !== undefined) return [...this.#childrenOf(parent)];
    if (!vscode.workspace.isTrusted) return [];
    try {
      return [...(await this.#read())];
    } catch (error) {
      this.#onFailure(error);
      return [];
    }
  }
}
