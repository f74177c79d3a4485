import * as vscode from 'vscode';
import type { RunSummary } from '../../server/protocol/runs.ts';
import { COMMANDS, CONFIG_FILE_PATTERN } from '../ids.ts';
import { showInformation } from '../show/notifications.ts';
import { pickFile } from '../show/pick-file.ts';
import { type PickRow, pick, pickSeveral } from '../show/quick-input.ts';
import { checkpointRows } from './checkpoint-rows.ts';
import { runIcon } from './run-icons.ts';
import { type RunList, resultCheckpoint } from './run-list.ts';
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

/**
 * Runs as the user ticks them; undefined for fewer than are needed.
 *
 * @param ticked folders of those that are ticked to begin with
 */
export async function chooseRuns(
  runs: RunList,
  title: string,
  least: 1 | 2,
  ticked: readonly string[] = [],
): Promise<RunList | undefined> {
  const rows = runs.map((run) => ({ ...runRow(run), isTicked: ticked.includes(run.folder) }));
  const picked = await pickSeveral(rows, {
    title,
    placeHolder:
      least === 2 ? vscode.l10n.t('Choose two or more') : vscode.l10n.t('Choose one or more'),
    matchOnDescription: true,
  });
  if (picked === undefined) return undefined;
  if (picked.length >= least) return picked.map(({ run }) => run);
  if (least === 2) void showInformation(vscode.l10n.t('Choose at least two runs to compare.'));
  return undefined;
}

/**
 * A checkpoint of a run to resume from, as the user picks it. Without any, `latest` stands for the
 * start of the run.
 */
export async function chooseCheckpoint(run: RunSummary): Promise<string | undefined> {
  if (run.checkpoints.length === 0) return 'latest';
  const title = vscode.l10n.t('Resume {0} from…', run.name);
  return (await pick(checkpointRows(run), { title, matchOnDescription: true }))?.folder;
}

/** A checkpoint of a run to be its result: the best one by evaluation comes first. */
export async function chooseResult(run: RunSummary): Promise<string | undefined> {
  const result = resultCheckpoint(run);
  const usable = run.checkpoints.filter((each) => each.problem === null && each !== result);
  const rows = checkpointRows({ ...run, checkpoints: usable }).toSorted(
    (a, b) => Number(b.isBest) - Number(a.isBest),
  );
  const title = vscode.l10n.t('Finish {0} with which checkpoint as its result?', run.name);
  return (await pick(rows, { title, matchOnDescription: true }))?.folder;
}

/** A configuration: that of the active editor, the only one, or the user's choice. */
export async function chooseConfigFile(title: string): Promise<vscode.Uri | undefined> {
  const active = activeConfigFile();
  if (active !== undefined) return active;
  const files = await vscode.workspace.findFiles(`**/${CONFIG_FILE_PATTERN}`, '**/node_modules/**');
  if (files.length === 0) {
    void tellOfNoConfiguration();
    return undefined;
  }
  return files.length === 1 ? files[0] : pickFile(files, title);
}

/** What somebody can do who has nothing yet to start, preview or estimate. */
function tellOfNoConfiguration(): Promise<void> {
  const run = (command: string) => () => vscode.commands.executeCommand(command);
  return showInformation(
    vscode.workspace.workspaceFolders === undefined
      ? vscode.l10n.t('No folder is open, and so there is no run configuration.')
      : vscode.l10n.t('There is no run configuration in this folder yet.'),
    { title: vscode.l10n.t('New Run Configuration'), run: run(COMMANDS.newConfiguration) },
    { title: vscode.l10n.t('Open the Demo'), run: run(COMMANDS.openDemo) },
  );
}

/** The configuration in the active editor, be it text or the form. */
function activeConfigFile(): vscode.Uri | undefined {
  const input = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
  const isFile = input instanceof vscode.TabInputText || input instanceof vscode.TabInputCustom;
  return isFile && input.uri.path.endsWith(CONFIG_FILE_PATTERN.slice(1)) ? input.uri : undefined;
}

function runRow(run: RunSummary): PickRow & { readonly run: RunSummary } {
  return {
    icon: runIcon(run),
    label: run.name,
    description: describeRun(run),
    detail: vscode.workspace.asRelativePath(run.folder),
    run,
  };
}
