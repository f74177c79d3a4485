import * as vscode from 'vscode';
import type { RunSummary } from '../../server/protocol.ts';
import { isFinal, type RunState, type RunStatus } from '../../server/runs/run-status.ts';
import { PRODUCT_NAME } from '../ids.ts';
import type { RunList } from './run-list.ts';

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

/** A loss with as many digits as one compares. */
export function formatLoss(loss: number): string {
  return loss.toFixed(3);
}

/** What a run is doing, in a few words: `34% · loss 1.234 · 12 min`, `Completed · loss 0.871`. */
export function describeRun({ status, problem }: RunSummary): string {
  const { state, loss, etaSeconds, progress } = status;
  if (problem !== null) return problem;
  const parts: string[] = [];
  if ((state === 'preparing' || status.step === 0) && progress !== null && progress.total > 0) {
    parts.push(`${progress.task} ${Math.floor((100 * progress.done) / progress.total)}%`);
  } else if (state === 'running') {
    parts.push(percentDone(status));
    if (status.verdict !== null) parts.push(vscode.l10n.t('does not learn'));
  } else if (state === 'paused' || state === 'pausing') {
    parts.push(stateLabel(state), percentDone(status));
  } else {
    parts.push(outcomeLabel(status));
  }
  if (loss !== null) parts.push(vscode.l10n.t('loss {0}', formatLoss(loss)));
  if (state === 'running' && etaSeconds !== null) parts.push(formatDuration(etaSeconds));
  return parts.join(' · ');
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
  const text = `${PRODUCT_NAME} ${describeRun(shown)}`;
  return others === 0 ? text : `${text} +${others}`;
}

/** Name of the icon before that text; undefined for a run that is over. */
export function statusBarIcon({ isLive, status: { state } }: RunSummary): string | undefined {
  if (!isLive) return undefined;
  if (state === 'queued') return 'clock';
  return state === 'paused' ? 'debug-pause' : 'sync~spin';
}
