import * as vscode from 'vscode';
import { plainLine } from '../../server/plain-text.ts';
import { LIMITS } from './limits.ts';

/** A row of a view; see `vscode.TreeItem`, of which it has the fields that are no text. */
export interface ViewRow
  extends Pick<
    vscode.TreeItem,
    'id' | 'iconPath' | 'contextValue' | 'command' | 'collapsibleState' | 'resourceUri'
  > {
  readonly label: string;
  /** Shown behind the label, less prominently. */
  readonly description?: string;
  /** Lines of the tooltip; undefined ones are left out. */
  readonly tooltip?: readonly (string | undefined)[];
  /** What a screen reader says in place of label and description. */
  readonly spoken?: string;
}

/** A row as VS Code draws it. Its labels have neither icons nor links, and strings no markup. */
export function viewRow({
  label,
  description,
  tooltip,
  spoken,
  ...rest
}: ViewRow): vscode.TreeItem {
  const item = new vscode.TreeItem(inLine(label));
  Object.assign(item, rest);
  if (description !== undefined) item.description = inLine(description);
  if (tooltip !== undefined) item.tooltip = tooltipOf(tooltip);
  if (spoken !== undefined) item.accessibilityInformation = { label: inLine(spoken) };
  return item;
}

function tooltipOf(lines: readonly (string | undefined)[]): string {
  return lines
    .filter((line) => line !== undefined)
    .map((line) => plainLine(line, LIMITS.tooltip))
    .join('\n');
}

function inLine(text: string): string {
  return plainLine(text, LIMITS.label);
}
