import path from 'node:path';
import * as vscode from 'vscode';
import { formatBytes } from '../../server/cli/format.ts';
import type { FoundAdapter, FoundModel } from '../../server/protocol/models.ts';
import { COMMANDS } from '../ids.ts';
import { type AdapterLosses, lossesOf } from '../models/adapter-losses.ts';
import type { AdapterBranch } from '../models/adapter-tree.ts';
import { lastPart } from '../models/base-model-of.ts';
import type { RunList } from '../runs/run-list.ts';
import { formatDate, formatLoss } from '../runs/run-texts.ts';
import { withRelativePaths } from '../show/relative-paths.ts';
import { viewRow } from '../show/rows.ts';
import type { MachineDevice } from './machine-report.ts';

/** What rows of each view are called in `when` clauses of the manifest. */
const CONTEXT_VALUES = {
  adapter: 'adapter',
  brokenAdapter: 'brokenAdapter',
  unfinished: 'unfinished',
  model: 'model',
  brokenModel: 'brokenModel',
} as const;

/** A row of the adapters' view: an adapter or a run without one, or a checkpoint below it. */
export type AdapterRow = AdapterBranch | FoundAdapter;

/** What stands below a row of the adapters' view. */
export function checkpointsBelow(row: AdapterRow): readonly FoundAdapter[] {
  return 'checkpoints' in row ? row.checkpoints : [];
}

/**
 * An adapter, a run without one, or a checkpoint as a row of the view; a click tries it.
 *
 * @param runs they know how good their adapters are
 */
export function adapterItem(row: AdapterRow, runs: RunList): vscode.TreeItem {
  if (!('checkpoints' in row)) {
    return oneAdapterItem(row, lossesOf(row, runs), path.basename(row.path), 'milestone');
  }
  const { adapter, folder, name, checkpoints } = row;
  const collapsibleState =
    checkpoints.length === 0
      ? vscode.TreeItemCollapsibleState.None
      : vscode.TreeItemCollapsibleState.Collapsed;
  if (adapter !== null) {
    const item = oneAdapterItem(adapter, lossesOf(adapter, runs), name, 'layers');
    return Object.assign(item, { collapsibleState });
  }
  return viewRow({
    label: name,
    id: folder,
    description: vscode.l10n.t('not finished'),
    iconPath: new vscode.ThemeIcon('circle-large-outline'),
    contextValue: CONTEXT_VALUES.unfinished,
    collapsibleState: vscode.TreeItemCollapsibleState.Expanded,
    tooltip: [
      folder,
      vscode.l10n.t('This run has no result yet; each of its checkpoints can be tried.'),
    ],
  });
}

function oneAdapterItem(
  { path: folder, checkpointOf, baseModel, rank, bytes, modified, problem }: FoundAdapter,
  { loss, evalLoss }: AdapterLosses,
  label: string,
  icon: string,
): vscode.TreeItem {
  // What was measured on rows that it did not learn says more.
  const measured =
    evalLoss !== null
      ? vscode.l10n.t('eval {0}', formatLoss(evalLoss))
      : loss !== null
        ? vscode.l10n.t('loss {0}', formatLoss(loss))
        : undefined;
  return viewRow({
    label,
    id: folder,
    description: [
      ...(problem === null ? [] : [vscode.l10n.t('damaged')]),
      ...(measured === undefined ? [] : [measured]),
      vscode.l10n.t('rank {0}', rank),
      // That of a checkpoint is said by what stands above it.
      ...(baseModel === null || checkpointOf !== null ? [] : [lastPart(baseModel)]),
      formatBytes(bytes),
      formatDate(modified),
    ].join(' · '),
    iconPath:
      problem === null
        ? new vscode.ThemeIcon(icon)
        : new vscode.ThemeIcon('warning', new vscode.ThemeColor('list.warningForeground')),
    contextValue: problem === null ? CONTEXT_VALUES.adapter : CONTEXT_VALUES.brokenAdapter,
    ...(problem === null && {
      command: {
        command: COMMANDS.testAdapter,
        title: vscode.l10n.t('Test Adapter'),
        arguments: [folder, { preserveFocus: true }],
      },
    }),
    tooltip: [
      folder,
      problem ?? undefined,
      baseModel === null ? undefined : vscode.l10n.t('Base model: {0}', baseModel),
      vscode.l10n.t('Rank: {0}', rank),
      loss === null ? undefined : vscode.l10n.t('Training loss: {0}', formatLoss(loss)),
      evalLoss === null ? undefined : vscode.l10n.t('Evaluation loss: {0}', formatLoss(evalLoss)),
      vscode.l10n.t('Size of the weights: {0}', formatBytes(bytes)),
      vscode.l10n.t('Saved: {0}', new Date(modified).toLocaleString(vscode.env.language)),
    ].map((text) => text && withRelativePaths(text)),
  });
}

/** A base model as a row of the view. */
export function modelItem({ path, name, origin, bytes, problem }: FoundModel): vscode.TreeItem {
  const origins: Readonly<Record<FoundModel['origin'], string>> = {
    workspace: vscode.l10n.t('workspace'),
    settings: vscode.l10n.t('settings'),
    huggingface: vscode.l10n.t('Hugging Face cache'),
  };
  return viewRow({
    label: name,
    id: path,
    description: `${formatBytes(bytes)} · ${origins[origin]}`,
    iconPath: new vscode.ThemeIcon(problem === null ? 'database' : 'warning'),
    contextValue: problem === null ? CONTEXT_VALUES.model : CONTEXT_VALUES.brokenModel,
    tooltip: [path, problem ?? undefined],
  });
}

/** A device as a row of the view. */
export function deviceItem({ device, usable, problem, gpu }: MachineDevice): vscode.TreeItem {
  return viewRow({
    label: device,
    id: device,
    description: [
      ...(gpu === undefined ? [] : [gpu.name, formatBytes(gpu.memoryBytes)]),
      usable ? vscode.l10n.t('usable') : vscode.l10n.t('not usable'),
    ].join(' · '),
    iconPath: usable
      ? new vscode.ThemeIcon('chip', new vscode.ThemeColor('testing.iconPassed'))
      : new vscode.ThemeIcon('circle-slash'),
    ...(problem !== undefined && { tooltip: [problem] }),
  });
}
