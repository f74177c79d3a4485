import * as vscode from 'vscode';
import { plainLine } from '../../server/plain-text.ts';
import { LIMITS } from './limits.ts';

/** Texts around the rows of a view. */
export interface TreeTexts {
  /** Behind the view's name. */
  readonly description?: string | undefined;
  /** Above its rows. */
  readonly message?: string | undefined;
  /** A number at the view's icon, and what it counts; undefined for none. */
  readonly badge?: { readonly value: number; readonly tooltip: string } | undefined;
}

/** A view of rows that can be selected. */
export class TreeView<Element> implements vscode.Disposable {
  readonly #view: vscode.TreeView<Element>;

  /** @param canSelectMany whether several can be selected at once */
  constructor(id: string, provider: vscode.TreeDataProvider<Element>, canSelectMany: boolean) {
    this.#view = vscode.window.createTreeView(id, { treeDataProvider: provider, canSelectMany });
  }

  get selection(): readonly Element[] {
    return this.#view.selection;
  }

  get isVisible(): boolean {
    return this.#view.visible;
  }

  /** Fires when the view comes into sight, and when it goes. */
  get onDidChangeVisibility(): vscode.Event<unknown> {
    return this.#view.onDidChangeVisibility;
  }

  /** Fires when what stands below a row comes into sight. */
  get onDidExpand(): vscode.Event<vscode.TreeViewExpansionEvent<Element>> {
    return this.#view.onDidExpandElement;
  }

  /** Fires when what stands below a row is folded in. */
  get onDidCollapse(): vscode.Event<vscode.TreeViewExpansionEvent<Element>> {
    return this.#view.onDidCollapseElement;
  }

  /**
   * Selects a row; the provider says what it stands below.
   *
   * @param takesFocus whether one goes on from there by keyboard
   */
  async select(element: Element, takesFocus: boolean): Promise<void> {
    await this.#view.reveal(element, { select: true, focus: takesFocus });
  }

  /** Brings what stands below a row into sight. */
  async unfold(element: Element): Promise<void> {
    await this.#view.reveal(element, { select: false, focus: false, expand: true });
  }

  /** Replaces all of the texts. */
  showTexts({ description, message, badge }: TreeTexts): void {
    const view = this.#view;
    view.description = plainLine(description ?? '', LIMITS.label);
    view.message = plainLine(message ?? '', LIMITS.label);
    view.badge = badge && { ...badge, tooltip: plainLine(badge.tooltip, LIMITS.tooltip) };
  }

  dispose(): void {
    this.#view.dispose();
  }
}
