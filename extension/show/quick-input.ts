import * as vscode from 'vscode';
import { plainLine, withoutIcons } from '../../server/plain-text.ts';
import { LIMITS } from './limits.ts';
import { withoutLinks } from './markup.ts';

/** A row to choose. */
export interface PickRow {
  /** Name of one of VS Code's icons. */
  readonly icon?: string;
  readonly label: string;
  readonly description?: string;
  /** On a line of its own. */
  readonly detail?: string;
  /** Where several can be chosen, whether it is to begin with. */
  readonly isTicked?: boolean;
}

/** Lets the user choose one of some rows; undefined when the list was closed. */
export async function pick<Row extends PickRow>(
  rows: readonly Row[] | Promise<readonly Row[]>,
  options: vscode.QuickPickOptions,
): Promise<Row | undefined> {
  const items = Promise.resolve(rows).then((all) => all.map(itemOf));
  const picked = await vscode.window.showQuickPick(items, inPick(options));
  return picked?.row;
}

/** Lets the user tick some of the rows; undefined when the list was closed. */
export async function pickSeveral<Row extends PickRow>(
  rows: readonly Row[],
  options: vscode.QuickPickOptions,
): Promise<readonly Row[] | undefined> {
  const picked = await vscode.window.showQuickPick(rows.map(itemOf), {
    ...inPick(options),
    canPickMany: true,
  });
  return picked?.map(({ row }) => row);
}

/** What is asked for in a line of text. */
export interface TextQuestion {
  readonly title: string;
  readonly prompt: string;
  /** What stands there at first. */
  readonly value: string;
  /** Nobody is to read it over the shoulder. */
  readonly isSecret?: boolean;
  /** What is wrong with a text; undefined for one that can be taken. */
  problemOf(text: string): string | undefined;
}

/** Asks for a line of text; undefined when the user closed the question. */
export function askForText({
  title,
  prompt,
  value,
  isSecret = false,
  problemOf,
}: TextQuestion): Thenable<string | undefined> {
  return vscode.window.showInputBox({
    title: inLine(title),
    prompt: inQuestion(prompt),
    value,
    password: isSecret,
    ignoreFocusOut: true,
    validateInput: (text) => {
      const problem = problemOf(text);
      return problem === undefined ? undefined : inQuestion(problem);
    },
  });
}

/** A row with what it stands for. */
export interface Item<Row> extends vscode.QuickPickItem {
  readonly row: Row;
}

/** A row as VS Code draws it. */
export function itemOf<Row extends PickRow>(row: Row): Item<Row> {
  const { icon, label, description, detail, isTicked } = row;
  const text = withoutIcons(inLine(label));
  return {
    label: icon === undefined ? text : `$(${icon}) ${text}`,
    ...(description !== undefined && { description: withoutIcons(inLine(description)) }),
    ...(detail !== undefined && { detail: withoutIcons(inLine(detail)) }),
    ...(isTicked !== undefined && { picked: isTicked }),
    row,
  };
}

/** What stands around rows, as VS Code draws it. */
export function inPick({ title, placeHolder, ...options }: vscode.QuickPickOptions) {
  return {
    ...options,
    ...(title !== undefined && { title: inLine(title) }),
    ...(placeHolder !== undefined && { placeHolder: inLine(placeHolder) }),
  };
}

/** A text in one line. */
export function inLine(text: string): string {
  return plainLine(text, LIMITS.label);
}

/** Prompts and what is wrong with an answer may have links, and icons. */
export function inQuestion(text: string): string {
  return withoutIcons(withoutLinks(inLine(text)));
}
