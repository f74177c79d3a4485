import * as vscode from 'vscode';
import type { RunSummary } from '../../server/protocol/runs.ts';
import { COMMANDS, PRODUCT_NAME, VIEWS } from '../ids.ts';
import { StatusItem } from '../show/status-item.ts';
import { describeGpu, deviceLabel } from './gpu-texts.ts';
import type { RunStore } from './run-store.ts';
import { mostInteresting, statusBarIcon, statusBarText } from './run-texts.ts';

/** Shows the live run in the status bar; a plain name while there is none. */
export function showRunsInStatusBar(store: RunStore): vscode.Disposable {
  const item = new StatusItem('lorafa.runs', vscode.l10n.t('LoRA-FA Runs'));
  const subscription = store.onDidChange((runs) => {
    const text = statusBarText(runs);
    const shown = mostInteresting(runs);
    if (text === undefined || shown === undefined) return item.hide();
    item.show({
      icon: statusBarIcon(shown),
      text,
      tooltip: shown.isLive
        ? [vscode.l10n.t('{0}: open the run panel', shown.name), ...deviceParts(shown, store)].join(
            ' · ',
          )
        : vscode.l10n.t('No run is going on: show the runs'),
      command: shown.isLive
        ? { command: COMMANDS.openRunPanel, title: PRODUCT_NAME, arguments: [shown.folder] }
        : `${VIEWS.runs}.focus`,
    });
  });
  return vscode.Disposable.from(item, subscription);
}

/** The device that computes, and what it does now. */
function deviceParts({ status: { device } }: RunSummary, { gpus }: RunStore): readonly string[] {
  if (device === null) return [];
  const gpu = describeGpu(device, gpus);
  return [deviceLabel(device, gpus), ...(gpu === undefined ? [] : [gpu])];
}
