import path from 'node:path';
import * as vscode from 'vscode';
import { formatBytes } from '../../server/format.ts';
import type { FoundAdapter, FoundModel } from '../../server/protocol/models.ts';
import type { KnownDevice } from '../doctor/known-devices.ts';
import { COMMANDS } from '../ids.ts';
import { type AdapterBranch, stepOf } from '../models/adapter-tree.ts';
import type { RunList } from '../runs/run-list.ts';
import { formatDate, formatLoss } from '../runs/run-texts.ts';
import { withRelativePaths } from '../show/relative-paths.ts';
import { viewRow } from '../show/rows.ts';
import { lossesOf } from './adapter-losses.ts';

/** What rows of models are called in `when` clauses of the manifest. */
const CONTEXT_VALUES = { model: 'model', brokenModel: 'brokenModel' } as const;

/** A row of the adapters' view: an adapter or a run without one, or a checkpoint below it. */
export type AdapterRow = AdapterBranch | FoundAdapter;

/** The folder of a row of the adapters' view: of an adapter, a checkpoint, or a run without a result. */
export function folderOfRow(row: AdapterRow): string {
  return 'checkpoints' in row ? row.folder : row.path;
}

/** What stands below a row of the adapters' view. */
export function checkpointsBelow(row: AdapterRow): readonly FoundAdapter[] {
  return 'checkpoints' in row ? row.checkpoints : [];
}

/**
 * An adapter, a run without one, or a checkpoint as a row of the view. A click selects it: who wants to try it
 * clicks twice, or presses Enter.
 *
 * @param runs they know how good their adapters are
 * @param unfolded folders of the adapters whose checkpoints are in sight
 */
export function adapterItem(
  row: AdapterRow,
  runs: RunList,
  unfolded: ReadonlySet<string> = new Set(),
): vscode.TreeItem {
  if (!('checkpoints' in row)) {
    // A narrow view cuts off the end of a label, and names of checkpoints differ in nothing else.
    const label = vscode.l10n.t('step {0}', stepOf(row));
    return oneAdapterItem(row, runs, { label, icon: 'milestone' });
  }
  const { adapter, folder, name, checkpoints, hasNamesake } = row;
  const place = hasNamesake ? vscode.l10n.t('in {0}', parentOf(folder)) : undefined;
  if (adapter !== null) {
    const item = oneAdapterItem(adapter, runs, { label: name, icon: 'layers', place });
    const { None, Collapsed, Expanded } = vscode.TreeItemCollapsibleState;
    const state = unfolded.has(folder) ? Expanded : Collapsed;
    return Object.assign(item, { collapsibleState: checkpoints.length === 0 ? None : state });
  }
  return viewRow({
    label: name,
    id: folder,
    description: [
      ...given(place),
      vscode.l10n.t('not finished'),
      ...structureOf(checkpoints[0]!),
    ].join(' · '),
    iconPath: new vscode.ThemeIcon('circle-large-outline'),
    contextValue: contextOf({ canUse: false, canRename: !isLive(folder, runs) }),
    collapsibleState: vscode.TreeItemCollapsibleState.Expanded,
    tooltip: [
      folder,
      vscode.l10n.t('This run has no result yet; each of its checkpoints can be tried.'),
    ].map(withRelativePaths),
  });
}

/** How a row of an adapter looks. */
interface AdapterLook {
  readonly label: string;
  readonly icon: string;
  /** What tells it from another one of its name. */
  readonly place?: string | undefined;
}

function oneAdapterItem(
  adapter: FoundAdapter,
  runs: RunList,
  { label, icon, place }: AdapterLook,
): vscode.TreeItem {
  const { path: folder, checkpointOf, isResult, baseModel, baseName, rank } = adapter;
  const { bytes, modified, problem } = adapter;
  const base = baseModel && withRelativePaths(baseModel);
  const { loss, evalLoss } = lossesOf(adapter, runs);
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
    // A narrow view cuts off what comes last; all of it is in the tooltip.
    description: [
      ...given(place),
      ...given(problem === null ? undefined : vscode.l10n.t('damaged')),
      ...given(measured),
      // That of a checkpoint is said by what stands above it.
      ...(checkpointOf === null ? structureOf(adapter) : []),
      formatDate(modified),
    ].join(' · '),
    iconPath:
      problem === null
        ? new vscode.ThemeIcon(icon)
        : new vscode.ThemeIcon('warning', new vscode.ThemeColor('list.warningForeground')),
    contextValue: contextOf({
      canUse: problem === null,
      // A checkpoint is named after its step.
      canRename: checkpointOf === null && !isLive(folder, runs),
    }),
    ...(problem === null && {
      command: {
        command: COMMANDS.clickAdapter,
        title: vscode.l10n.t('Test Adapter'),
        arguments: [folder],
      },
    }),
    tooltip: [
      folder,
      problem ?? undefined,
      checkpointOf !== null
        ? vscode.l10n.t('A checkpoint of the run {0}', path.basename(checkpointOf))
        : isResult
          ? vscode.l10n.t('The result of the run in this folder')
          : undefined,
      baseName === null ? undefined : vscode.l10n.t('Base model: {0}', baseName),
      base === null || base === baseName ? undefined : base,
      vscode.l10n.t('Rank: {0}', rank),
      loss === null ? undefined : vscode.l10n.t('Training loss: {0}', formatLoss(loss)),
      evalLoss === null ? undefined : vscode.l10n.t('Evaluation loss: {0}', formatLoss(evalLoss)),
      vscode.l10n.t('Size of the weights: {0}', formatBytes(bytes)),
      vscode.l10n.t('Saved: {0}', new Date(modified).toLocaleString(vscode.env.language)),
    ].map((text) => text && withRelativePaths(text)),
  });
}

/** What an adapter is made of, as short as it can be told: its rank, by PEFT's name, and the name of its base. */
function structureOf({ rank, baseName }: FoundAdapter): readonly string[] {
  return [`r=${rank}`, ...given(baseName && path.posix.basename(baseName))];
}

/** What `when` clauses of the manifest go by, as those of runs do. */
function contextOf({
  canUse,
  canRename,
}: {
  readonly canUse: boolean;
  readonly canRename: boolean;
}): string {
  return ['adapter', ...(canUse ? ['canUse'] : []), ...(canRename ? ['canRename'] : [])].join(' ');
}

function isLive(folder: string, runs: RunList): boolean {
  return runs.some((run) => run.folder === folder && run.isLive);
}

function given(text: string | null | undefined): readonly string[] {
  return text === null || text === undefined || text === '' ? [] : [text];
}

/** The folder that something lies in, as people see it in the workspace. */
function parentOf(folder: string): string {
  const shown = path.dirname(withRelativePaths(folder));
  return shown === '.' ? path.basename(path.dirname(folder)) : shown;
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
export function deviceItem({ name, facts, problem }: KnownDevice): vscode.TreeItem {
  return viewRow({
    label: name,
    id: name,
    description: [
      ...facts,
      problem === null ? vscode.l10n.t('usable') : vscode.l10n.t('not usable'),
    ].join(' · '),
    iconPath:
      problem === null
        ? new vscode.ThemeIcon('chip', new vscode.ThemeColor('testing.iconPassed'))
        : new vscode.ThemeIcon('circle-slash'),
    ...(problem !== null && { tooltip: [problem] }),
  });
}
