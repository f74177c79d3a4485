import path from 'node:path';
import * as vscode from 'vscode';
import type { RunCheckpoint, RunSummary } from '../../server/protocol/runs.ts';
import type { PickRow } from '../show/quick-input.ts';
import { formatLoss } from './run-texts.ts';

/** A checkpoint to choose. */
export interface CheckpointRow extends PickRow {
  readonly folder: string;
  /** Whether its evaluation loss is the lowest of all that can be used. */
  readonly isBest: boolean;
}

/** Checkpoints as people choose one: those on the run's way, the newest first, then the others. */
export function checkpointRows(run: Pick<RunSummary, 'checkpoints'>): readonly CheckpointRow[] {
  const best = bestCheckpoint(run.checkpoints);
  const newestFirst = run.checkpoints
    .toReversed()
    .toSorted((a, b) => Number(b.isCurrent) - Number(a.isCurrent));
  return newestFirst.map((checkpoint, index) => ({
    icon: checkpoint.problem === null ? 'milestone' : 'warning',
    label: path.basename(checkpoint.folder),
    description: [
      ...describeCheckpoint(checkpoint),
      ...(checkpoint === best ? [vscode.l10n.t('best evaluation')] : []),
      ...(index === 0 && checkpoint.isCurrent ? [vscode.l10n.t('newest')] : []),
    ].join(' · '),
    folder: checkpoint.folder,
    isBest: checkpoint === best,
  }));
}

/** The checkpoint with the lowest evaluation loss; undefined where none was evaluated. */
export function bestCheckpoint(all: readonly RunCheckpoint[]): RunCheckpoint | undefined {
  const [best] = all
    .filter(({ problem, evalLoss }) => problem === null && evalLoss !== null)
    .toSorted((a, b) => a.evalLoss! - b.evalLoss!);
  return best;
}

/** What is known of a checkpoint, in a few words each: its losses, and what is wrong with it. */
export function describeCheckpoint({
  loss,
  evalLoss,
  isCurrent,
  problem,
}: RunCheckpoint): readonly string[] {
  return [
    ...(problem === null ? [] : [vscode.l10n.t('damaged: {0}', problem)]),
    ...(loss === null ? [] : [vscode.l10n.t('loss {0}', formatLoss(loss))]),
    ...(evalLoss === null ? [] : [vscode.l10n.t('eval {0}', formatLoss(evalLoss))]),
    ...(isCurrent ? [] : [vscode.l10n.t('left behind by an earlier session')]),
  ];
}
