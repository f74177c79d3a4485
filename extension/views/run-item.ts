import * as vscode from 'vscode';
import type { RunSummary } from '../../server/protocol.ts';
import { COMMANDS } from '../ids.ts';
import { stateColor, stateIcon } from '../runs/run-icons.ts';
import { abilitiesOf } from '../runs/run-list.ts';
import { describeRun, stateLabel } from '../runs/run-texts.ts';

/** A run as a row of the view; its context value names what can be done with it. */
export function runItem(run: RunSummary): vscode.TreeItem {
  const { folder, name, status, configFile } = run;
  const item = new vscode.TreeItem(name);
  item.id = folder;
  item.description = describeRun(run);
  const color = stateColor(status.state);
  item.iconPath = new vscode.ThemeIcon(
    stateIcon(status.state),
    color === undefined ? undefined : new vscode.ThemeColor(color),
  );
  const able = Object.entries(abilitiesOf(run)).filter(([, can]) => can);
  item.contextValue = ['run', ...able.map(([ability]) => ability)].join(' ');
  item.command = {
    command: COMMANDS.openRunPanel,
    title: vscode.l10n.t('Open Run Panel'),
    arguments: [folder],
  };
  item.tooltip = [
    `${name}: ${stateLabel(status.state)}`,
    status.reason?.message,
    folder,
    configFile ?? undefined,
  ]
    .filter((line) => line !== undefined)
    .join('\n');
  item.accessibilityInformation = {
    label: `${name}, ${stateLabel(status.state)}, ${item.description}`,
  };
  return item;
}
