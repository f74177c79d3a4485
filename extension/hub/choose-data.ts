import * as vscode from 'vscode';
import { lookAtData } from '../../server/protocol/hub.ts';
import { showProgress } from '../show/notifications.ts';
import type { BACK, StepPlace } from '../show/quick-steps.ts';
import type { ChosenData } from './chosen-input.ts';
import { type HubPickContext, type HubRow, pickFromHub } from './hub-pick.ts';
import { described, downloadsText, licenceName, rowsText } from './hub-texts.ts';

/** A row of the list of data. */
export type DataRow = HubRow<ChosenData>;

/** What is said around the list of data. */
export interface DataQuestion {
  readonly title: string;
  readonly placeHolder: string;
  readonly here: Promise<readonly DataRow[]>;
  readonly elsewhere: readonly DataRow[];
}

/** Asks for training data: those of this folder, well-known ones, or what the Hub finds by a name. */
export function chooseFromData(
  context: HubPickContext,
  place: StepPlace,
  question: DataQuestion,
): Promise<ChosenData | typeof BACK | undefined> {
  const hubRow = (name: string, description: string): DataRow => ({
    ...{ key: name, icon: 'cloud-download', label: name, description },
    // Whether they can be had and read is asked before anything is made of them.
    take: async () => {
      const title = vscode.l10n.t('Looking at {0}…', name);
      const ask = () => context.server.ask(lookAtData, { name });
      return { hub: name, sample: await showProgress({ title }, ask) };
    },
  });
  return pickFromHub<ChosenData>(context, place, {
    ...question,
    kind: 'dataset',
    starters: ({ data }) =>
      data.map(({ name, licence, rows }) =>
        hubRow(name, described(rowsText(rows), licenceName(licence))),
      ),
    found: ({ name, licence, rows, isGated, downloads }) =>
      hubRow(
        name,
        described(
          rowsText(rows),
          licenceName(licence),
          isGated && vscode.l10n.t('access on request'),
          downloadsText(downloads),
        ),
      ),
  });
}
