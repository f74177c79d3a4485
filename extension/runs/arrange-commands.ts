import * as vscode from 'vscode';
import { askForText, pick } from '../show/quick-input.ts';
import type { RunsView } from '../views/runs-view.ts';
import { RUN_ORDERS, type RunOrder } from './arrange-runs.ts';

/** Lets the user choose by what runs are put into order. */
export async function sortRuns(view: RunsView): Promise<void> {
  const { order: present } = view.arrangement;
  const rows = RUN_ORDERS.map((order) => ({
    label: orderLabel(order),
    order,
    ...(order === present && { description: vscode.l10n.t('as now') }),
  }));
  const picked = await pick(rows, { title: vscode.l10n.t('Sort runs by…') });
  if (picked !== undefined) view.arrange({ order: picked.order });
}

/** Lets the user say which runs are shown. */
export async function filterRuns(view: RunsView): Promise<void> {
  const filter = await askForText({
    title: vscode.l10n.t('Filter runs'),
    prompt: vscode.l10n.t('Name, state, configuration, #tag or a word of the note; empty: all'),
    value: view.arrangement.filter,
    problemOf: () => undefined,
  });
  if (filter !== undefined) view.arrange({ filter: filter.trim() });
}

function orderLabel(order: RunOrder): string {
  const labels: Readonly<Record<RunOrder, string>> = {
    newest: vscode.l10n.t('Latest first'),
    name: vscode.l10n.t('Name'),
    loss: vscode.l10n.t('Loss, lowest first'),
    evalLoss: vscode.l10n.t('Evaluation loss, lowest first'),
    duration: vscode.l10n.t('Duration, longest first'),
    state: vscode.l10n.t('State'),
  };
  return labels[order];
}
