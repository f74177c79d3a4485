import * as vscode from 'vscode';
import type { FoundAdapter, FoundModel } from '../../server/protocol.ts';
import { viewRow } from '../show/rows.ts';
import type { MachineDevice } from './machine-report.ts';

/** What rows of each view are called in `when` clauses of the manifest. */
const CONTEXT_VALUES = { adapter: 'adapter', model: 'model', brokenModel: 'brokenModel' } as const;

/** An adapter as a row of the view. */
export function adapterItem({
  path,
  name,
  baseModel,
  rank,
  checkpointOf,
  modified,
}: FoundAdapter): vscode.TreeItem {
  return viewRow({
    label: name,
    id: path,
    description: vscode.l10n.t('rank {0}', rank),
    iconPath: new vscode.ThemeIcon(checkpointOf === null ? 'layers' : 'milestone'),
    contextValue: CONTEXT_VALUES.adapter,
    tooltip: [
      path,
      baseModel === null ? undefined : vscode.l10n.t('Base model: {0}', baseModel),
      vscode.l10n.t('Saved: {0}', new Date(modified).toLocaleString()),
    ],
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
    description: `${formatSize(bytes)} · ${origins[origin]}`,
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

function formatSize(bytes: number): string {
  const gib = bytes / 2 ** 30;
  return gib >= 1 ? `${gib.toFixed(1)} GiB` : `${Math.max(0.1, bytes / 2 ** 20).toFixed(1)} MiB`;
}
