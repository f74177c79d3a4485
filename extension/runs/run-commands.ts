import * as vscode from 'vscode';
import type { RunSummary } from '../../server/protocol.ts';
import { type CommandTable, registerCommands } from '../commands.ts';
import { COMMANDS } from '../ids.ts';
import { uriOf } from '../uri-of.ts';
import { chooseCheckpoint, chooseConfigFile, chooseRun, chooseRuns } from './choose-run.ts';
import type { ComparisonPanels } from './comparison-panel.ts';
import { createConfiguration } from './new-configuration.ts';
import type { RunActions } from './run-actions.ts';
import { abilitiesOf, type RunAbilities } from './run-list.ts';
import type { RunPanels } from './run-panel.ts';
import type { RunsContext } from './runs-context.ts';
import { RunStarter } from './start-run.ts';

/** What the commands work with. */
export interface RunCommandOptions {
  readonly context: RunsContext;
  readonly actions: RunActions;
  readonly panels: RunPanels;
  readonly comparisons: ComparisonPanels;
  /** Looks at the disk again for everything that the views show. */
  readonly refreshViews: () => Promise<void>;
}

/**
 * The commands about runs. Each takes what a menu gives it (a run of the view, a file) and asks for
 * what it is not given.
 */
export function registerRunCommands(
  extension: vscode.ExtensionContext,
  { context, actions, panels, comparisons, refreshViews }: RunCommandOptions,
): void {
  const { store } = context;
  const starter = new RunStarter(context, actions, (folder, name) => panels.show(folder, name));

  /** The run that a command was called for, or one that can do it now. */
  async function target(
    arg: unknown,
    title: string,
    abilities?: readonly (keyof RunAbilities)[],
  ): Promise<RunSummary | undefined> {
    await actions.load();
    const folder = folderOf(arg);
    if (folder !== undefined) return store.find(folder);
    const able = store.runs.filter(
      (run) => abilities?.some((ability) => abilitiesOf(run)[ability]) ?? true,
    );
    const inFront = able.find((run) => run.folder === panels.activeFolder);
    return inFront ?? chooseRun(able, title);
  }

  function show(run: RunSummary | undefined): void {
    if (run !== undefined) panels.show(run.folder, run.name);
  }

  const table: CommandTable = {
    [COMMANDS.newConfiguration]: (arg) => createConfiguration(context, { model: modelOf(arg) }),
    [COMMANDS.newConfigurationFromData]: (arg) =>
      createConfiguration(context, { data: uriOf(arg)?.fsPath }),
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
      const run = await target(arg, vscode.l10n.t('Pause which run?'), ['canPause']);
      if (run !== undefined) await actions.control(run.folder, 'pause');
    },
    [COMMANDS.resumeRun]: async (arg) => {
      const run = await target(arg, vscode.l10n.t('Resume which run?'), ['canResume']);
      if (run !== undefined) await actions.control(run.folder, 'resume');
    },
    [COMMANDS.stopRun]: async (arg) => {
      const run = await target(arg, vscode.l10n.t('Stop which run?'), ['canStop']);
      if (run !== undefined) await actions.control(run.folder, 'stop');
    },
    [COMMANDS.resumeFromCheckpoint]: async (arg) => {
      const title = vscode.l10n.t('Resume which run?');
      const run = await target(arg, title, ['canResumeFromCheckpoint', 'canStartAgain']);
      // Asked by the notification of an end that is long past: the run goes on already.
      if (run?.isLive) return show(run);
      const checkpoint = run === undefined ? undefined : await chooseCheckpoint(run);
      if (checkpoint !== undefined) show(await actions.resume(run!.folder, checkpoint));
    },
    [COMMANDS.openRunPanel]: async (arg) => {
      show(await target(arg, vscode.l10n.t('Show which run?')));
    },
    [COMMANDS.compareRuns]: async () => {
      await actions.load();
      const runs = await chooseRuns(store.runs, vscode.l10n.t('Compare runs'));
      if (runs !== undefined) comparisons.show(runs.map(({ folder }) => folder));
    },
    [COMMANDS.refreshViews]: () => refreshViews(),
  };
  registerCommands(extension, table);
}

/** A row of the view, or the folder itself. */
function folderOf(arg: unknown): string | undefined {
  if (typeof arg === 'string') return arg;
  if (typeof arg !== 'object' || arg === null || !('folder' in arg)) return undefined;
  return typeof arg.folder === 'string' ? arg.folder : undefined;
}

/** A row of the base models' view. */
function modelOf(arg: unknown): string | undefined {
  if (typeof arg !== 'object' || arg === null || !('path' in arg)) return undefined;
  return arg instanceof vscode.Uri || typeof arg.path !== 'string' ? undefined : arg.path;
}
