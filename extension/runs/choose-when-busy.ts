import * as vscode from 'vscode';
import { SETTINGS, SETTINGS_SECTION } from '../ids.ts';
import { pick } from '../show/quick-input.ts';
import type { RunList } from './run-list.ts';
import { describeRun } from './run-texts.ts';

/** What a run does that is started while others go on. */
export type WhenBusy = 'queue' | 'parallel';

/**
 * Decides by the user's setting, or asks, whether a run waits for the live ones.
 *
 * @returns undefined when the user closed the question
 */
export async function chooseWhenBusy(live: RunList): Promise<WhenBusy | undefined> {
  // Runs of other windows are not known here; waiting for those is the safe choice.
  if (live.length === 0) return 'queue';
  const setting = vscode.workspace
    .getConfiguration(SETTINGS_SECTION)
    .get<WhenBusy | 'ask'>(SETTINGS.whenBusy, 'ask');
  if (setting !== 'ask') return setting;
  const others = live.map((run) => `${run.name} (${describeRun(run)})`).join(', ');
  const answer = await pick(
    [
      {
        icon: 'clock',
        label: vscode.l10n.t('Wait in the queue'),
        detail: vscode.l10n.t('It starts when the other run has ended and the machine is free.'),
        whenBusy: 'queue' as const,
      },
      {
        icon: 'layers',
        label: vscode.l10n.t('Start beside it'),
        detail: vscode.l10n.t('Both share memory and processors; each becomes slower.'),
        whenBusy: 'parallel' as const,
      },
    ],
    { title: vscode.l10n.t('Another run is going on'), placeHolder: others, ignoreFocusOut: true },
  );
  return answer?.whenBusy;
}
