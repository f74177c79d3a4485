import * as vscode from 'vscode';
import type { RunSummary } from '../../server/protocol/runs.ts';
import { type CommandTable, registerCommands } from '../commands.ts';
import { COMMANDS } from '../ids.ts';
import type { RunsView } from '../views/runs-view.ts';
import { filterRuns, sortRuns } from './arrange-commands.ts';
import type { RunActions } from './run-actions.ts';
import type { RunKeeper } from './run-keeper.ts';
import type { RunPanels } from './run-panels.ts';
import type { RunTargets } from './run-targets.ts';

/** What the commands work with. */
export interface KeepingCommandOptions {
  readonly targets: RunTargets;
  readonly actions: RunActions;
  readonly keeper: RunKeeper;
  readonly panels: RunPanels;
  readonly view: RunsView;
}

/** The commands that keep runs in order, and that arrange their view. */
export function registerKeepingCommands(
  extension: vscode.ExtensionContext,
  { targets, actions, keeper, panels, view }: KeepingCommandOptions,
): void {
  /** Does something with one run. */
  const withOne =
    (title: string, action: (run: RunSummary) => unknown) =>
    async (arg: unknown): Promise<void> => {
      const run = await targets.one(arg, { title });
      if (run !== undefined) await action(run);
    };
  const table: CommandTable = {
    [COMMANDS.finishRun]: async (arg) => {
      const title = vscode.l10n.t('Finish which run?');
      const run = await targets.one(arg, { title, abilities: ['canFinish'] });
      if (run !== undefined) await keeper.finish(run, 'ask');
    },
    [COMMANDS.trainFurther]: async (arg) => {
      const title = vscode.l10n.t('Train which run further?');
      const run = await targets.one(arg, { title, abilities: ['canTrainFurther'] });
      if (run !== undefined && run.adapter !== null) await keeper.further(run, run.adapter);
    },
    [COMMANDS.deleteRun]: async (arg, selected) => {
      const question = {
        title: vscode.l10n.t('Delete which runs?'),
        abilities: ['canChange' as const],
      };
      const runs = await targets.several(arg, selected, question);
      if (runs !== undefined) await keeper.delete(runs);
    },
    [COMMANDS.renameRun]: async (arg) => {
      const title = vscode.l10n.t('Rename which run?');
      const run = await targets.one(arg, { title, abilities: ['canChange'] });
      if (run === undefined) return;
      await keeper.rename(run, (renamed) => panels.follow(run.folder, renamed));
    },
    [COMMANDS.editRunNote]: withOne(vscode.l10n.t('Write a note about which run?'), (run) =>
      keeper.editNote(run),
    ),
    [COMMANDS.editRunTags]: async (arg, selected) => {
      const title = vscode.l10n.t('Tag which runs?');
      const runs = await targets.several(arg, selected, { title });
      if (runs !== undefined) await keeper.editTags(runs);
    },
    [COMMANDS.revealRun]: withOne(vscode.l10n.t('Reveal which run?'), ({ folder }) =>
      actions.openFiles(folder, 'folder'),
    ),
    [COMMANDS.openRunConfiguration]: withOne(
      vscode.l10n.t('Open the configuration of which run?'),
      ({ folder }) => actions.openFiles(folder, 'configFile'),
    ),
    [COMMANDS.duplicateRun]: withOne(
      vscode.l10n.t('Duplicate the configuration of which run?'),
      (run) => keeper.duplicate(run),
    ),
    [COMMANDS.sortRuns]: () => sortRuns(view),
    [COMMANDS.filterRuns]: () => filterRuns(view),
    [COMMANDS.groupRuns]: () => view.arrange({ isGrouped: !view.arrangement.isGrouped }),
    // VS Code's own pin: what it keeps is not used for another run.
    [COMMANDS.pinRunPanel]: () => vscode.commands.executeCommand('workbench.action.pinEditor'),
  };
  registerCommands(extension, table);
}
