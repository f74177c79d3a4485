import * as vscode from 'vscode';
import type { FoundModel } from '../../server/protocol/models.ts';
import type { RunSummary } from '../../server/protocol/runs.ts';
import { type CommandTable, keepsFocus, registerCommands } from '../commands.ts';
import { type ChosenData, type ChosenModel, modelHere } from '../hub/chosen-input.ts';
import { GetModel } from '../hub/get-model.ts';
import { COMMANDS } from '../ids.ts';
import { uriOf } from '../uri-of.ts';
import { chooseCheckpoint, chooseConfigFile, chooseRuns } from './choose-run.ts';
import type { ComparisonPanels } from './comparison-panel.ts';
import { createConfiguration } from './new-configuration.ts';
import type { RunActions } from './run-actions.ts';
import type { RunPanels } from './run-panels.ts';
import { folderOf, type RunTargets } from './run-targets.ts';
import type { RunsContext } from './runs-context.ts';
import { RunStarter } from './start-run.ts';

/** What the commands work with. */
export interface RunCommandOptions {
  readonly context: RunsContext;
  readonly actions: RunActions;
  readonly panels: RunPanels;
  readonly comparisons: ComparisonPanels;
  readonly targets: RunTargets;
  /** Looks at the disk again for everything that the views show. */
  readonly refreshViews: () => Promise<void>;
}

/**
 * The commands about runs. Each takes what a menu gives it (a run of the view, a file) and asks for
 * what it is not given.
 */
export function registerRunCommands(
  extension: vscode.ExtensionContext,
  { context, actions, panels, comparisons, targets, refreshViews }: RunCommandOptions,
): void {
  const { store } = context;
  const starter = new RunStarter(context, actions, (folder, name) =>
    panels.show(folder, name, false),
  );

  function show(run: RunSummary | undefined, preserveFocus = false): void {
    if (run !== undefined) panels.show(run.folder, run.name, preserveFocus);
  }

  const models = new GetModel(context, extension.workspaceState, {
    refresh: refreshViews,
    configure: (model) => createConfiguration(context, { model }),
  });
  if (vscode.workspace.isTrusted) void models.offerInterrupted();
  const table: CommandTable = {
    [COMMANDS.getModel]: () => models.run(),
    [COMMANDS.newConfiguration]: (arg) => createConfiguration(context, { model: modelOf(arg) }),
    [COMMANDS.newConfigurationFromData]: (arg) =>
      createConfiguration(context, { data: dataOf(arg) }),
    [COMMANDS.startRun]: async (arg) => {
      const file =
        uriOf(arg) ?? (await chooseConfigFile(vscode.l10n.t('Start which run configuration?')));
      if (file !== undefined) await starter.start(file);
    },
    [COMMANDS.replaceRun]: async (arg) => {
      const file =
        uriOf(arg) ?? (await chooseConfigFile(vscode.l10n.t('Start which run configuration?')));
      if (file !== undefined) await starter.replace(file);
    },
    [COMMANDS.pauseRun]: async (arg) => {
      const run = await targets.one(arg, {
        title: vscode.l10n.t('Pause which run?'),
        abilities: ['canPause'],
      });
      if (run !== undefined) await actions.control(run.folder, 'pause');
    },
    [COMMANDS.resumeRun]: async (arg) => {
      const run = await targets.one(arg, {
        title: vscode.l10n.t('Resume which run?'),
        abilities: ['canResume'],
      });
      if (run !== undefined) await actions.control(run.folder, 'resume');
    },
    [COMMANDS.stopRun]: async (arg) => {
      const run = await targets.one(arg, {
        title: vscode.l10n.t('Stop which run?'),
        abilities: ['canStop'],
      });
      if (run !== undefined) await actions.control(run.folder, 'stop');
    },
    [COMMANDS.resumeFromCheckpoint]: async (arg) => {
      const title = vscode.l10n.t('Resume which run?');
      const run = await targets.one(arg, {
        title,
        abilities: ['canResumeFromCheckpoint', 'canStartAgain'],
      });
      // Asked by the notification of an end that is long past: the run goes on already.
      if (run?.isLive) return show(run);
      const checkpoint = run === undefined ? undefined : await chooseCheckpoint(run);
      if (checkpoint !== undefined) show(await actions.resume(run!.folder, checkpoint));
    },
    [COMMANDS.openRunPanel]: async (arg, options) => {
      const run = await targets.one(arg, {
        title: vscode.l10n.t('Show which run?'),
        isAnother: true,
      });
      show(run, keepsFocus(options));
    },
    [COMMANDS.compareRuns]: async (arg, selected) => {
      if ((await actions.load()) === undefined) return;
      const given = Array.isArray(selected)
        ? selected.flatMap((row: unknown) => folderOf(row) ?? [])
        : [];
      const folder = folderOf(arg);
      const ticked = folder === undefined ? [] : [folder];
      const ask = async (): Promise<readonly string[] | undefined> => {
        const title = vscode.l10n.t('Compare runs');
        return (await chooseRuns(store.runs, title, 2, ticked))?.map((run) => run.folder);
      };
      const chosen = given.length > 1 ? given : await ask();
      if (chosen === undefined) return;
      const runs = await actions.present(chosen);
      if (runs.length > 1) comparisons.show(runs.map((run) => run.folder));
    },
    [COMMANDS.refreshViews]: () => refreshViews(),
  };
  registerCommands(extension, table);
}

/** The base model that a view gives. */
function modelOf(arg: unknown): ChosenModel | undefined {
  if (typeof arg !== 'object' || arg === null || !('path' in arg)) return undefined;
  if (arg instanceof vscode.Uri || typeof arg.path !== 'string') return undefined;
  return modelHere(arg as FoundModel);
}

/** The data file that a menu gives. */
function dataOf(arg: unknown): ChosenData | undefined {
  const path = uriOf(arg)?.fsPath;
  return path === undefined ? undefined : { path };
}
