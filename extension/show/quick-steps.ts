import * as vscode from 'vscode';
import {
  inLine,
  inPick,
  inQuestion,
  itemOf,
  type PickRow,
  type TextQuestion,
} from './quick-input.ts';

/** The user went back to the step before. */
export const BACK = Symbol('back');

/** Where a question stands among others. */
export interface StepPlace {
  /** Counts from 1. */
  readonly step: number;
  readonly steps: number;
  /** One can go back although it is the first step: it is asked in several questions. */
  readonly isContinued?: boolean;
}

/** A heading between rows; nothing to choose. */
export interface PickHeading {
  readonly heading: string;
}

/** What a step lets the user choose from. */
export interface PickQuestion<Row extends PickRow> {
  readonly title: string;
  readonly placeHolder: string;
  readonly rows: readonly (Row | PickHeading)[] | Promise<readonly (Row | PickHeading)[]>;
}

/**
 * Lets the user choose one of some rows, or go back where there is a step before.
 *
 * @returns undefined when the list was closed. Throws what `rows` throws.
 */
export async function pickStep<Row extends PickRow>(
  place: StepPlace,
  { title, placeHolder, rows }: PickQuestion<Row>,
): Promise<Row | typeof BACK | undefined> {
  const input = newPick<Row>({ title, placeHolder });
  input.matchOnDetail = true;
  input.busy = true;
  const answer = asked(input, place, () => input.selectedItems[0]?.row);
  try {
    const all = await Promise.race([rows, answer.then(() => undefined)]);
    if (all !== undefined) {
      input.busy = false;
      input.items = all.map((row) => ('heading' in row ? headingItem(row) : itemOf(row)));
    }
    return await answer;
  } finally {
    input.dispose();
  }
}

/** A row or a heading as VS Code draws it. */
export interface StepItem<Row> extends vscode.QuickPickItem {
  readonly row?: Row;
}

/** A list that is not shown yet and has no rows. */
export function newPick<Row>(
  question: Pick<PickQuestion<PickRow>, 'title' | 'placeHolder'>,
): vscode.QuickPick<StepItem<Row>> {
  const input = vscode.window.createQuickPick<StepItem<Row>>();
  const { title, placeHolder } = inPick(question);
  input.title = title;
  input.placeholder = placeHolder;
  input.matchOnDescription = true;
  return input;
}

/** Asks for a line of text, or lets the user go back; undefined when the question was closed. */
export async function textStep(
  place: StepPlace,
  { title, prompt, value, problemOf }: TextQuestion,
): Promise<string | typeof BACK | undefined> {
  const input = vscode.window.createInputBox();
  const check = (): string | undefined => {
    const problem = problemOf(input.value);
    input.validationMessage = problem === undefined ? undefined : inQuestion(problem);
    return problem;
  };
  input.title = inLine(title);
  input.prompt = inQuestion(prompt);
  input.value = value;
  input.onDidChangeValue(check);
  try {
    return await asked(input, place, () => (check() === undefined ? input.value : undefined));
  } finally {
    input.dispose();
  }
}

/**
 * Shows an input and waits for an answer, for Back, or for its end.
 *
 * @param place undefined where it is the only question
 */
export function asked<Answer>(
  input: vscode.QuickPick<vscode.QuickPickItem> | vscode.InputBox,
  place: StepPlace | undefined,
  answerOf: () => Answer | undefined,
): Promise<Answer | typeof BACK | undefined> {
  input.step = place?.step;
  input.totalSteps = place?.steps;
  input.ignoreFocusOut = true;
  const hasBefore = place !== undefined && (place.step > 1 || place.isContinued === true);
  if (hasBefore) input.buttons = [vscode.QuickInputButtons.Back];
  return new Promise((resolve) => {
    input.onDidTriggerButton(() => resolve(BACK));
    input.onDidHide(() => resolve(undefined));
    input.onDidAccept(() => {
      const answer = answerOf();
      if (answer !== undefined) resolve(answer);
    });
    input.show();
  });
}

/** A heading as VS Code draws it. */
export function headingItem({ heading }: PickHeading): vscode.QuickPickItem {
  return { label: inLine(heading), kind: vscode.QuickPickItemKind.Separator };
}
