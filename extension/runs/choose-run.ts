import path from 'node:path';
import * as vscode from 'vscode';
import type { RunSummary } from '../../server/protocol.ts';
import { CONFIG_FILE_PATTERN } from '../ids.ts';
import { showInformation } from '../show/notifications.ts';
import { type PickRow, pick, pickSeveral } from '../show/quick-input.ts';
import { runIcon } from './run-icons.ts';
import type { RunList } from './run-list.ts';
import { describeRun } from './run-texts.ts';

/** The run that a command is for: the only one there is, or the one that the user picks. */
export async function chooseRun(runs: RunList, title: string): Promise<RunSummary | undefined> {
  if (runs.length === 0) {
    void showInformation(vscode.l10n.t('There is no run for this now.'));
    return undefined;
  }
  if (runs.length === 1) return runs[0];
  const picked = await pick(runs.map(runRow), { title, matchOnDescription: true });
  return picked?.run;
}

/** Two runs or more, as the user ticks them; undefined for fewer. */
export async function chooseRuns(runs: RunList, title: string): Promise<RunList | undefined> {
  const picked = await pickSeveral(runs.map(runRow), {
    title,
    placeHolder: vscode.l10n.t('Choose two or more'),
    matchOnDescription: true,
  });
  if (picked === undefined) return undefined;
  if (picked.length > 1) return picked.map(({ run }) => run);
  void showInformation(vscode.l10n.t('Choose at least two runs to compare.'));
  return undefined;
}

/**
 * A checkpoint of a run, as the user picks it: the newest comes first, those that the run left behind
 * last. Without any, `latest` stands for the start of the run.
 */
export async function chooseCheckpoint(run: RunSummary): Promise<string | undefined> {
  const itemOf = (folder: string, description: string) => ({
    label: path.basename(folder),
    description,
    folder,
  });
  const items = [
    ...run.checkpoints
      .toReversed()
      .map((folder, index) => itemOf(folder, index === 0 ? vscode.l10n.t('newest') : '')),
    ...run.abandonedCheckpoints
      .toReversed()
      .map((folder) => itemOf(folder, vscode.l10n.t('left behind by an earlier session'))),
  ];
  if (items.length === 0) return 'latest';
  const picked = await pick(items, { title: vscode.l10n.t('Resume {0} from…', run.name) });
  return picked?.folder;
}

/** A configuration: that of the active editor, the only one, or the user's choice. */
export async function chooseConfigFile(title: string): Promise<vscode.Uri | undefined> {
  const active = activeConfigFile();
  if (active !== undefined) return active;
  const files = await vscode.workspace.findFiles(`**/${CONFIG_FILE_PATTERN}`, '**/node_modules/**');
  if (files.length === 0) {
    void showInformation(vscode.l10n.t('There is no run configuration in this folder yet.'));
    return undefined;
  }
  if (files.length === 1) return files[0];
  const items = files
    .map((uri) => ({ label: vscode.workspace.asRelativePath(uri), uri }))
    .toSorted((a, b) => a.label.localeCompare(b.label));
  const picked = await pick(items, { title });
  return picked?.uri;
}

/** The configuration in the active editor, be it text or the form. */
function activeConfigFile(): vscode.Uri | undefined {
  const input = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
  const isFile = input instanceof vscode.TabInputText || input instanceof vscode.TabInputCustom;
  return isFile && input.uri.path.endsWith(CONFIG_FILE_PATTERN.slice(1)) ? input.uri : undefined;
}

function runRow(run: RunSummary): PickRow & { readonly run: RunSummary } {
  return {
    icon: runIcon(run.status),
    label: run.name,
    description: describeRun(run),
    detail: vscode.workspace.asRelativePath(run.folder),
    run,
  };
}
