import path from 'node:path';
import * as vscode from 'vscode';
import type { RunSummary } from '../../server/protocol/runs.ts';
import { COMMANDS } from '../ids.ts';
import type { RunGroup } from '../runs/arrange-runs.ts';
import { runColor, runIcon } from '../runs/run-icons.ts';
import { abilitiesOf } from '../runs/run-list.ts';
import {
  describeAttempt,
  describeShortly,
  formatDate,
  formatDuration,
  formatLoss,
  formatSteps,
  outcomeLabel,
  secondsOf,
  standingLabel,
} from '../runs/run-texts.ts';
import { withRelativePaths } from '../show/relative-paths.ts';
import { viewRow } from '../show/rows.ts';

/** A run as a row of the view; its context value names what can be done with it. */
export function runItem(run: RunSummary): vscode.TreeItem {
  const { folder, name, status } = run;
  const description = describeRow(run);
  const color = runColor(run);
  const able = Object.entries(abilitiesOf(run)).filter(([, can]) => can);
  return viewRow({
    label: name,
    id: folder,
    description,
    iconPath: new vscode.ThemeIcon(
      runIcon(run),
      color === undefined ? undefined : new vscode.ThemeColor(color),
    ),
    contextValue: ['run', ...able.map(([ability]) => ability)].join(' '),
    command: {
      command: COMMANDS.openRunPanel,
      title: vscode.l10n.t('Open Run Panel'),
      // Who goes through the rows by keyboard stays there.
      arguments: [folder, { preserveFocus: true }],
    },
    tooltip: tooltipOf(run),
    spoken: `${name}, ${run.unheard === null ? outcomeLabel(status) : standingLabel(run)}, ${description}`,
  });
}

/** The runs of a configuration as a row with rows below it. */
export function groupItem({ configFile, runs }: RunGroup): vscode.TreeItem {
  return viewRow({
    label:
      configFile === null
        ? vscode.l10n.t('Without a known configuration')
        : path.basename(configFile, '.lorafa.json'),
    id: `group ${configFile ?? ''}`,
    description:
      runs.length === 1 ? vscode.l10n.t('1 run') : vscode.l10n.t('{0} runs', runs.length),
    iconPath: new vscode.ThemeIcon('file-code'),
    contextValue: 'group',
    collapsibleState: vscode.TreeItemCollapsibleState.Expanded,
    ...(configFile !== null && { tooltip: [configFile] }),
  });
}

/** Where a run stands, its tags, when it began and how long it took: a narrow view cuts off what comes last. */
function describeRow(run: RunSummary): string {
  const { status, began, isLive, notes } = run;
  const seconds = secondsOf(run);
  return [
    describeShortly(run),
    ...notes.tags.map((tag) => `#${tag}`),
    ...(isLive ? [] : [formatDate(began ?? status.since)]),
    ...(isLive || seconds === 0 ? [] : [formatDuration(seconds)]),
  ].join(' · ');
}

function tooltipOf(run: RunSummary): readonly (string | undefined)[] {
  const { folder, name, status, configFile, began, unheard, problem, notes } = run;
  const { maxSteps, loss, evalLoss, reason, verdict } = status;
  const seconds = secondsOf(run);
  const moment = (time: string): string => new Date(time).toLocaleString(vscode.env.language);
  const line = (text: string, value: string | number | null): string | undefined =>
    value === null ? undefined : vscode.l10n.t('{0}: {1}', text, value);
  return [
    `${name}: ${unheard === null ? outcomeLabel(status) : standingLabel(run)}`,
    line(vscode.l10n.t('Started'), began && moment(began)),
    line(vscode.l10n.t('Duration'), seconds === 0 ? null : formatDuration(seconds)),
    line(vscode.l10n.t('Step'), maxSteps === 0 ? null : formatSteps(status)),
    line(vscode.l10n.t('Loss'), loss === null ? null : formatLoss(loss)),
    line(vscode.l10n.t('Evaluation loss'), evalLoss === null ? null : formatLoss(evalLoss)),
    unheard ?? undefined,
    reason?.message,
    verdict?.message,
    verdict?.advice,
    describeAttempt(run),
    problem ?? undefined,
    notes.text === '' ? undefined : line(vscode.l10n.t('Note'), notes.text),
    notes.tags.length === 0 ? undefined : line(vscode.l10n.t('Tags'), notes.tags.join(', ')),
    folder,
    configFile ?? undefined,
  ].map((text) => text && withRelativePaths(text));
}
