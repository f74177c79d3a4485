import path from 'node:path';
import * as vscode from 'vscode';
import { formatBytes } from '../../server/cli/format.ts';
import type { FoundAdapter, FoundModel } from '../../server/protocol/models.ts';
import { COMMANDS } from '../ids.ts';
import type { AdapterBranch } from '../models/adapter-tree.ts';
import { formatDate } from '../runs/run-texts.ts';
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

/** An adapter, a run without one, or a checkpoint as a row of the view; a click tries it. */
export function adapterItem(row: AdapterRow): vscode.TreeItem {
  if (!('checkpoints' in row)) return oneAdapterItem(row, path.basename(row.path), 'milestone');
  const { adapter, folder, name, checkpoints } = row;
  const collapsibleState =
    checkpoints.length === 0
      ? vscode.TreeItemCollapsibleState.None
      : vscode.TreeItemCollapsibleState.Collapsed;
  if (adapter !== null) {
    return Object.assign(oneAdapterItem(adapter, name, 'layers'), { collapsibleState });
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
  { path: folder, baseModel, rank, modified, problem }: FoundAdapter,
  label: string,
  icon: string,
): vscode.TreeItem {
  return viewRow({
    label,
    id: folder,
    description: [
      ...(problem === null ? [] : [vscode.l10n.t('damaged')]),
      vscode.l10n.t('rank {0}', rank),
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
        arguments: [folder],
      },
    }),
    tooltip: [
      folder,
      problem ?? undefined,
      baseModel === null ? undefined : vscode.l10n.t('Base model: {0}', baseModel),
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
export function deviceItem({ device, usable, problem }: MachineDevice): vscode.TreeItem {
  return viewRow({
    label: device,
    id: device,
    description: usable ? vscode.l10n.t('usable') : vscode.l10n.t('not usable'),
    iconPath: usable
      ? new vscode.ThemeIcon('chip', new vscode.ThemeColor('testing.iconPassed'))
      : new vscode.ThemeIcon('circle-slash'),
    ...(problem !== undefined && { tooltip: [problem] }),
  });
}
