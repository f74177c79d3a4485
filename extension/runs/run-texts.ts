import * as vscode from 'vscode';
import type { RunSummary } from '../../server/protocol/runs.ts';
import { isFinal, type RunState, type RunStatus } from '../../server/trainer/run-status.ts';
import { PRODUCT_NAME } from '../ids.ts';
import { isThrough, type RunList } from './run-list.ts';

/** What people read for each state. */
export function stateLabel(state: RunState): string {
  const labels: Readonly<Record<RunState, string>> = {
    queued: vscode.l10n.t('Queued'),
    preparing: vscode.l10n.t('Preparing'),
    running: vscode.l10n.t('Running'),
    pausing: vscode.l10n.t('Pausing'),
    paused: vscode.l10n.t('Paused'),
    stopping: vscode.l10n.t('Stopping'),
    completed: vscode.l10n.t('Completed'),
    stopped: vscode.l10n.t('Stopped'),
    cancelled: vscode.l10n.t('Cancelled'),
    failed: vscode.l10n.t('Failed'),
  };
  return labels[state];
}

/** The same with what is wrong with its course: `Completed, but did not learn`. */
export function outcomeLabel({ state, verdict }: RunStatus): string {
  const label = stateLabel(state);
  // Of a run that failed its reason tells more.
  if (verdict === null || state === 'failed') return label;
  if (verdict.kind === 'overfitted') return vscode.l10n.t('{0}, but was better before', label);
  return isFinal(state)
    ? vscode.l10n.t('{0}, but did not learn', label)
    : vscode.l10n.t('{0}, but does not learn', label);
}

/** `34%`; rounded down, so that 100 % means that no step is left. */
export function percentDone({ step, maxSteps }: RunStatus): string {
  return `${maxSteps === 0 ? 0 : Math.floor((100 * step) / maxSteps)}%`;
}

/** A time span as people say it, in its two largest units at most: `40 s`, `12 min`, `3 h 05 min`. */
export function formatDuration(seconds: number): string {
  if (seconds < 59.5) return vscode.l10n.t('{0} s', Math.max(1, Math.round(seconds)));
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return vscode.l10n.t('{0} min', minutes);
  const hours = Math.floor(minutes / 60);
  if (hours < 24) {
    return vscode.l10n.t('{0} h {1} min', hours, String(minutes % 60).padStart(2, '0'));
  }
  return vscode.l10n.t('{0} d {1} h', Math.floor(hours / 24), hours % 24);
}

/** The steps that are done, of all: `518 / 1,045,000`. */
export function formatSteps({ step, maxSteps }: RunStatus): string {
  const count = (steps: number): string => steps.toLocaleString(vscode.env.language);
  return `${count(step)} / ${count(maxSteps)}`;
}

/** A loss with as many digits as one compares. */
export function formatLoss(loss: number): string {
  return loss.toFixed(3);
}

/** What people read for what a run does now, or came to: also that nothing new is heard of it. */
export function standingLabel({ status, unheard }: RunSummary): string {
  if (unheard !== null) return vscode.l10n.t('No news');
  return isFinishedEarly(status) ? vscode.l10n.t('Finished early') : stateLabel(status.state);
}

/** What a run is doing, in a few words: `34% · loss 1.234 · 12 min left`, `Completed · loss 0.871`. */
export function describeRun(run: RunSummary): string {
  return partsOf(run, true).join(' · ');
}

/** The same where an icon says that it is complete, as one expects: `loss 0.871 · eval 0.9`. */
export function describeShortly(run: RunSummary): string {
  const { status } = run;
  const isWhole =
    status.state === 'completed' && !isFinishedEarly(status) && status.verdict === null;
  return partsOf(run, !isWhole || status.loss === null).join(' · ');
}

function partsOf({ status, isLive, unheard }: RunSummary, hasEnd: boolean): string[] {
  const { state, loss, evalLoss, etaSeconds, progress } = status;
  const parts: string[] = [];
  if (unheard !== null) parts.push(vscode.l10n.t('No news'), percentDone(status));
  else if (
    (state === 'preparing' || status.step === 0) &&
    progress !== null &&
    progress.total > 0
  ) {
    parts.push(`${progress.task} ${Math.floor((100 * progress.done) / progress.total)}%`);
  } else if (state === 'running') {
    parts.push(percentDone(status));
    if (status.verdict !== null) parts.push(vscode.l10n.t('does not learn'));
  } else if (state === 'paused' || state === 'pausing') {
    parts.push(stateLabel(state), percentDone(status));
  } else if (hasEnd) {
    parts.push(endLabel(status));
  }
  if (status.resultStep !== null) {
    parts.push(vscode.l10n.t('model of step {0}', status.resultStep));
  }
  if (loss !== null) parts.push(vscode.l10n.t('loss {0}', formatLoss(loss)));
  if (!isLive && evalLoss !== null) {
    parts.push(vscode.l10n.t('eval {0}', formatLoss(evalLoss)));
  }
  if (state === 'running' && etaSeconds !== null && unheard === null) {
    parts.push(vscode.l10n.t('{0} left', formatDuration(etaSeconds)));
  }
  return parts;
}

/** Whether a checkpoint before the last step was made the result of a run. */
export function isFinishedEarly({ state, step, maxSteps }: RunStatus): boolean {
  return state === 'completed' && step < maxSteps;
}

/** What became of a run: that it came to its end, or how far it came. */
function endLabel(status: RunStatus): string {
  const { step, maxSteps } = status;
  return isFinishedEarly(status)
    ? vscode.l10n.t('Finished at step {0} of {1}', step, maxSteps)
    : outcomeLabel(status);
}

/** Why a run stands as it does, and what in its folder is damaged; empty where there is nothing to say. */
export function reasonOf({ unheard, status, problem }: RunSummary): string {
  const reason = unheard ?? status.reason?.message ?? '';
  // Where the damage is all that is known of a run, its reason says so.
  const isTold = problem === null || reason.includes(problem.replace(/\.$/, ''));
  return [reason, ...(isTold ? [] : [problem])].join(' ').trim();
}

/** What came of an attempt to go on with a run that came to nothing; undefined without one. */
export function describeAttempt({ attempt }: RunSummary): string | undefined {
  if (attempt === null) return undefined;
  const when = new Date(attempt.since).toLocaleString(vscode.env.language);
  const reason = attempt.reason?.message;
  if (attempt.state !== 'failed') {
    return vscode.l10n.t('An attempt to go on was ended before it came to anything ({0}).', when);
  }
  return reason === undefined
    ? vscode.l10n.t('An attempt to go on failed ({0}).', when)
    : vscode.l10n.t('An attempt to go on failed ({0}): {1}', when, reason);
}

/** Why a run cannot be resumed from a checkpoint now; undefined where it can. */
export function describeNoResume(run: RunSummary): string | undefined {
  if (run.isLive) {
    return vscode.l10n.t(
      'Stop the run to resume from one of its checkpoints, or to make one its result.',
    );
  }
  if (!isThrough(run)) return undefined;
  const reason = vscode.l10n.t('This run did all of its steps: there is nothing to resume.');
  if (run.adapter === null) return reason;
  const way = vscode.l10n.t('Train Further begins a new run with what it has learned.');
  return `${reason} ${way}`;
}

/** When a run began, as people say it: the hour for those of today, otherwise the day. */
export function formatDate(time: string, now = new Date()): string {
  const date = new Date(time);
  const isToday = date.toDateString() === now.toDateString();
  return isToday
    ? date.toLocaleTimeString(vscode.env.language, { hour: '2-digit', minute: '2-digit' })
    : date.toLocaleDateString(vscode.env.language, {
        day: 'numeric',
        month: 'short',
        ...(date.getFullYear() !== now.getFullYear() && { year: 'numeric' }),
      });
}

/** How long a run has taken so far, in seconds: of one that goes on, since it began. */
export function secondsOf(
  { isLive, seconds, status, began }: RunSummary,
  now = Date.now(),
): number {
  const isComputing = isLive && began !== null && status.state === 'running';
  return isComputing ? Math.max(seconds, (now - Date.parse(began)) / 1000) : seconds;
}

/** The run that the status bar tells of and opens; undefined where there are none. */
export function mostInteresting(runs: RunList): RunSummary | undefined {
  return runs.find(({ isLive, status }) => isLive && status.state === 'running') ?? runs[0];
}

/** The status bar's text for the runs of a window; undefined where there are none. */
export function statusBarText(runs: RunList): string | undefined {
  const shown = mostInteresting(runs);
  if (shown === undefined) return undefined;
  if (!shown.isLive) return PRODUCT_NAME;
  const others = runs.filter(({ isLive }) => isLive).length - 1;
  const { device } = shown.status;
  // What computes is said, above all where it is not what somebody expects.
  const parts = [describeRun(shown), ...(device === null ? [] : [device])];
  const text = `${PRODUCT_NAME} ${parts.join(' · ')}`;
  return others === 0 ? text : `${text} +${others}`;
}

/** Name of the icon before that text; undefined for a run that is over. */
export function statusBarIcon({
  isLive,
  unheard,
  status: { state },
}: RunSummary): string | undefined {
  if (!isLive) return undefined;
  if (unheard !== null) return 'warning';
  if (state === 'queued') return 'clock';
  return state === 'paused' ? 'debug-pause' : 'sync~spin';
}
