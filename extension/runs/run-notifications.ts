import * as vscode from 'vscode';
import type { RunSummary } from '../../server/protocol.ts';
import { COMMANDS } from '../ids.ts';
import { showError, showInformation, showWarning } from '../show/notifications.ts';
import { abilitiesOf } from './run-list.ts';
import type { RunStore } from './run-store.ts';
import { formatLoss, outcomeLabel } from './run-texts.ts';

/** Tells with a notification how each run has ended, with what one does next. */
export function notifyOfEnds(store: RunStore, log: vscode.LogOutputChannel): vscode.Disposable {
  return store.onDidEnd((run) => {
    void tellEnd(run, log);
  });
}

async function tellEnd(run: RunSummary, log: vscode.LogOutputChannel): Promise<void> {
  const { folder, name, status } = run;
  const open = {
    title: vscode.l10n.t('Open Run Panel'),
    run: () => vscode.commands.executeCommand(COMMANDS.openRunPanel, folder),
  };
  const resume = {
    title: abilitiesOf(run).canStartAgain
      ? vscode.l10n.t('Start Again')
      : vscode.l10n.t('Resume from Checkpoint…'),
    run: () => vscode.commands.executeCommand(COMMANDS.resumeFromCheckpoint, folder),
  };
  const test = {
    title: vscode.l10n.t('Test Adapter'),
    run: () => vscode.commands.executeCommand(COMMANDS.testAdapter, folder),
  };
  switch (status.state) {
    case 'completed': {
      const { loss, verdict } = status;
      if (verdict !== null) {
        const outcome = `${name}: ${outcomeLabel(status)}. ${verdict.message} ${verdict.advice}`;
        await showWarning(outcome, open, test);
        break;
      }
      const message =
        loss === null
          ? vscode.l10n.t('The run {0} is complete.', name)
          : vscode.l10n.t('The run {0} is complete: loss {1}.', name, formatLoss(loss));
      await showInformation(message, test, open);
      break;
    }
    case 'failed': {
      const reason = status.reason?.message ?? '';
      log.error(`${folder}: ${reason}`);
      const message = vscode.l10n.t('The run {0} failed: {1}', name, reason);
      await showError(message, open, resume);
      break;
    }
    default: {
      const message =
        status.state === 'stopped'
          ? vscode.l10n.t('The run {0} was stopped and saved.', name)
          : vscode.l10n.t('The run {0} was cancelled.', name);
      await showInformation(message, open, resume);
    }
  }
}
