import * as vscode from 'vscode';
import { type Item, itemOf, type PickRow } from './quick-input.ts';
import {
  asked,
  type BACK,
  headingItem,
  newPick,
  type PickHeading,
  type StepItem,
  type StepPlace,
} from './quick-steps.ts';

/** A row of a list that changes while it is looked at. */
export interface LiveRow extends PickRow {
  /** Under which it stays the chosen one when the list is drawn anew. */
  readonly key: string;
  /** Shown whatever is typed: somebody else has searched already. */
  readonly isFound?: boolean;
}

/** The list, as those see it who fill it. */
export interface LiveList<Row extends LiveRow> {
  /** Draws the list anew. */
  show(rows: readonly (Row | PickHeading)[]): void;
  /** Whether more is to come. */
  setBusy(isBusy: boolean): void;
}

/** What a list that changes lets the user choose from. */
export interface LiveQuestion<Row extends LiveRow> {
  readonly title: string;
  readonly placeHolder: string;
  /** What is typed already. */
  readonly text: string;
  /** Whether what is typed is looked for in details too. */
  readonly matchOnDetail?: boolean;
  /** Fills the list; the token ends with the question. */
  fill(list: LiveList<Row>, token: vscode.CancellationToken): void;
  /** Told what is typed, a little after the last key. */
  onText(text: string): void;
}

/** How long nothing is typed before it is searched for. */
const PAUSE_MS = 300;

/**
 * Lets the user choose one of rows that come and change, or go back where there is a step before;
 * undefined when the list was closed.
 */
export async function pickLive<Row extends LiveRow>(
  place: StepPlace | undefined,
  { title, placeHolder, text: typed, matchOnDetail = false, fill, onText }: LiveQuestion<Row>,
): Promise<Row | typeof BACK | undefined> {
  const input = newPick<Row>({ title, placeHolder });
  const source = new vscode.CancellationTokenSource();
  let timer: NodeJS.Timeout | undefined;
  input.value = typed;
  input.matchOnDetail = matchOnDetail;
  input.keepScrollPosition = true;
  input.onDidChangeValue((text) => {
    clearTimeout(timer);
    timer = setTimeout(() => onText(text.trim()), PAUSE_MS);
  });
  const answer = asked(input, place, () => input.selectedItems[0]?.row);
  fill(
    {
      show: (rows) => {
        const active = input.activeItems[0]?.row?.key;
        const items = rows.map(
          (row): StepItem<Row> => ('heading' in row ? headingItem(row) : liveItem(row)),
        );
        input.items = items;
        const same = items.find(({ row }) => row !== undefined && row.key === active);
        if (same !== undefined) input.activeItems = [same];
      },
      setBusy: (isBusy) => {
        input.busy = isBusy;
      },
    },
    source.token,
  );
  try {
    return await answer;
  } finally {
    clearTimeout(timer);
    source.cancel();
    source.dispose();
    input.dispose();
  }
}

function liveItem<Row extends LiveRow>(row: Row): Item<Row> {
  return { ...itemOf(row), alwaysShow: row.isFound ?? false };
}
