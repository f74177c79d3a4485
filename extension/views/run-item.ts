import * as vscode from 'vscode';
import type { RunSummary } from '../../server/protocol.ts';
import { COMMANDS } from '../ids.ts';
import { runColor, runIcon } from '../runs/run-icons.ts';
import { abilitiesOf } from '../runs/run-list.ts';
import { describeRun, outcomeLabel } from '../runs/run-texts.ts';
import { viewRow } from '../show/rows.ts';

/** A run as a row of the view; its context value names what can be done with it. */
export function runItem(run: RunSummary): vscode.TreeItem {
  const { folder, name, status, configFile } = run;
  const description = describeRun(run);
  const color = runColor(status);
  const able = Object.entries(abilitiesOf(run)).filter(([, can]) => can);
  return viewRow({
    label: name,
    id: folder,
    description,
    iconPath: new vscode.ThemeIcon(
      runIcon(status),
      color === undefined ? undefined : new vscode.ThemeColor(color),
    ),
    contextValue: ['run', ...able.map(([ability]) => ability)].join(' '),
    command: {
      command: COMMANDS.openRunPanel,
      title: vscode.l10n.t('Open Run Panel'),
      arguments: [folder],
    },
    tooltip: [
      `${name}: ${outcomeLabel(status)}`,
      status.reason?.message,
      status.verdict?.message,
      status.verdict?.advice,
      folder,
      configFile ?? undefined,
    ],
    spoken: `${name}, ${outcomeLabel(status)}, ${description}`,
  });
}
