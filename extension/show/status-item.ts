import * as vscode from 'vscode';
import { plainLine, withoutIcons } from '../../server/plain-text.ts';
import { LIMITS } from './limits.ts';

/** What an item of the status bar shows. */
export interface StatusContent {
  /** Name of one of VS Code's icons. */
  readonly icon: string | undefined;
  readonly text: string;
  readonly tooltip: string;
  /** What a click does. */
  readonly command: vscode.Command | string;
}

/** An item of the status bar, hidden at first. */
export class StatusItem implements vscode.Disposable {
  readonly #item: vscode.StatusBarItem;

  /** @param name what it is called in the list of items that can be hidden */
  constructor(id: string, name: string) {
    this.#item = vscode.window.createStatusBarItem(id, vscode.StatusBarAlignment.Left, 1);
    this.#item.name = name;
  }

  show({ icon, text, tooltip, command }: StatusContent): void {
    const label = plainLine(text, LIMITS.label);
    this.#item.text =
      icon === undefined ? withoutIcons(label) : `$(${icon}) ${withoutIcons(label)}`;
    this.#item.tooltip = plainLine(tooltip, LIMITS.tooltip);
    this.#item.command = command;
    this.#item.accessibilityInformation = { label };
    this.#item.show();
  }

  hide(): void {
    this.#item.hide();
  }

  dispose(): void {
    this.#item.dispose();
  }
}
