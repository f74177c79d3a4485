import { setTimeout as delay } from 'node:timers/promises';
import * as vscode from 'vscode';
import type { RunSummary } from '../../server/protocol/runs.ts';
import { COMMANDS, VIEWS } from '../ids.ts';
import { signInChoices } from '../report-failure.ts';
import { type Choice, showError, showInformation, showWarning } from '../show/notifications.ts';
import { abilitiesOf, outcomeOf, type RunList } from './run-list.ts';
import type { RunStore } from './run-store.ts';
import { formatLoss, outcomeLabel, stateLabel } from './run-texts.ts';

/** So long a notification waits for its answer before there may be another one of its kind. */
const PATIENCE_MS = 600_000;

/** Whether the user knows without being told that a run has ended: he ended it, or sees it. */
export type IsKnownEnd = (run: RunSummary) => boolean;

/**
 * Tells how runs have ended, with what one does next, unless the user knows it. Nothing is told while
 * nobody looks at the window, nor while a notification of the same kind waits for its answer: what
 * ends meanwhile is told together after it.
 */
export function notifyOfEnds(
  store: RunStore,
  isKnownEnd: IsKnownEnd,
  log: vscode.LogOutputChannel,
): vscode.Disposable {
  const [failures, others] = [new Teller(), new Teller()];
  return store.onDidEnd((run) => {
    const { state, reason } = outcomeOf(run);
    const entry = `${run.folder}: ${state}${reason === null ? '' : `: ${reason.message}`}`;
    if (state === 'failed') log.error(entry);
    else log.info(entry);
    // What signing in may help with is told with the button for that.
    if (isKnownEnd(run) && signInChoices(reason?.code).length === 0) return;
    (state === 'failed' ? failures : others).tell(run);
  });
}

/** Tells of runs that ended because somebody deleted, moved or renamed their folders. */
export function notifyOfVanished(store: RunStore): vscode.Disposable {
  return store.onDidVanish(
    ({ folder }) =>
      void showWarning(
        vscode.l10n.t(
          '{0} was deleted, moved or renamed while its run was going on, which ends the run; put the folder back to resume it, or start it again.',
          folder,
        ),
      ),
  );
}

/** Notifications of one kind, one at a time. */
class Teller {
  #waiting: RunSummary[] = [];
  #isTelling = false;

  tell(run: RunSummary): void {
    this.#waiting = [...this.#waiting.filter(({ folder }) => folder !== run.folder), run];
    if (!this.#isTelling) void this.#tellAll();
  }

  async #tellAll(): Promise<void> {
    this.#isTelling = true;
    // Runs that end together come one after the other, be it overnight.
    for (await untilSeen(); this.#waiting.length > 0; await untilSeen()) {
      const [first, ...more] = this.#waiting;
      this.#waiting = [];
      const told = more.length === 0 ? tellEnd(first!) : tellEnds([first!, ...more]);
      await Promise.race([told, delay(PATIENCE_MS)]);
    }
    this.#isTelling = false;
  }
}

/** Resolves when the user looks at the window. */
async function untilSeen(): Promise<void> {
  if (vscode.window.state.focused) return;
  await new Promise<void>((resolve) => {
    const subscription = vscode.window.onDidChangeWindowState(({ focused }) => {
      if (!focused) return;
      subscription.dispose();
      resolve();
    });
  });
}

/** Tells of several runs at once. */
function tellEnds(runs: RunList): Promise<void> {
  const names = runs.map((run) => `${run.name} (${stateLabel(outcomeOf(run).state)})`).join(', ');
  return showInformation(vscode.l10n.t('{0} runs have ended: {1}', runs.length, names), {
    title: vscode.l10n.t('Show Runs'),
    run: () => vscode.commands.executeCommand(`${VIEWS.runs}.focus`),
  });
}

async function tellEnd(run: RunSummary): Promise<void> {
  const { name, status } = run;
  const { open, resume, test } = choicesFor(run);
  const { state, reason } = outcomeOf(run);
  switch (state) {
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
      await showInformation(message, ...(abilitiesOf(run).canUseAdapter ? [test] : []), open);
      break;
    }
    case 'failed': {
      const why = reason?.message ?? '';
      const message =
        run.attempt === null
          ? vscode.l10n.t('The run {0} failed: {1}', name, why)
          : vscode.l10n.t('The run {0} could not go on: {1}', name, why);
      await showError(message, ...signInChoices(reason?.code), open, resume);
      break;
    }
    default: {
      const message =
        state === 'stopped'
          ? vscode.l10n.t('The run {0} was stopped and saved.', name)
          : vscode.l10n.t('The run {0} was cancelled.', name);
      await showInformation(message, open, resume);
    }
  }
}

function choicesFor(run: RunSummary): Readonly<Record<'open' | 'resume' | 'test', Choice>> {
  const { folder, adapter } = run;
  return {
    open: {
      title: vscode.l10n.t('Open Run Panel'),
      run: () => vscode.commands.executeCommand(COMMANDS.openRunPanel, folder),
    },
    resume: {
      title: abilitiesOf(run).canStartAgain
        ? vscode.l10n.t('Start Again')
        : vscode.l10n.t('Resume from Checkpoint…'),
      run: () => vscode.commands.executeCommand(COMMANDS.resumeFromCheckpoint, folder),
    },
    test: {
      title: vscode.l10n.t('Test Adapter'),
      run: () => vscode.commands.executeCommand(COMMANDS.testAdapter, adapter),
    },
  };
}
