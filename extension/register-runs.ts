import * as vscode from 'vscode';
import { chosenPython } from '../server/protocol/runs.ts';
import { KnownDevices } from './doctor/known-devices.ts';
import type { FolderMove } from './folder-move.ts';
import { PANELS } from './ids.ts';
import { choosePython } from './runs/choose-python.ts';
import { ComparisonPanels } from './runs/comparison-panel.ts';
import { showDownloads } from './runs/download-notifications.ts';
import { registerKeepingCommands } from './runs/keeping-commands.ts';
import { RenamedRuns } from './runs/renamed-runs.ts';
import { RunActions } from './runs/run-actions.ts';
import { registerRunCommands } from './runs/run-commands.ts';
import { keepContextKeys } from './runs/run-context-keys.ts';
import { RunFeed } from './runs/run-feed.ts';
import { RunKeeper } from './runs/run-keeper.ts';
import { notifyOfEnds, notifyOfVanished } from './runs/run-notifications.ts';
import { RunPanels } from './runs/run-panels.ts';
import { showRunsInStatusBar } from './runs/run-status-bar.ts';
import { RunStore } from './runs/run-store.ts';
import { RunTargets } from './runs/run-targets.ts';
import type { RunsContext } from './runs/runs-context.ts';
import type { ServerLink } from './server-link.ts';
import { registerViews, type Views } from './views/views.ts';
import { tick } from './walkthrough/tick.ts';

/** What those work with who do something with what runs have come to. */
export interface RunParts {
  /** They know what is on disk. */
  readonly views: Views;
  readonly moves: RunsContext['moves'];
  readonly devices: KnownDevices;
}

/** Everything that people see of runs: commands, views, panels, status bar, notifications. */
export function registerRuns(
  extension: vscode.ExtensionContext,
  server: ServerLink,
  log: vscode.LogOutputChannel,
): RunParts {
  server.answer(chosenPython, ({ configFile }) => choosePython(configFile, log));
  const store = new RunStore(server, extension.workspaceState, log);
  const feed = new RunFeed(server, log);
  const { extensionUri } = extension;
  const moves = new vscode.EventEmitter<FolderMove>();
  const renamed = new RenamedRuns(extension.workspaceState);
  const context: RunsContext = { extensionUri, log, server, store, feed, moves, renamed };
  const keeper = new RunKeeper(context);
  const actions = new RunActions(context, keeper);
  const panels = new RunPanels(context, actions);
  const comparisons = new ComparisonPanels(context, actions);
  // Of a window that was just opened a run may go on which it has not read yet.
  const devices = new KnownDevices(server, async () =>
    (await store.load()).some(({ isLive }) => isLive),
  );
  const views = registerViews(extension, context, devices);
  const targets = new RunTargets(store, actions, panels, views.runs);
  registerRunCommands(extension, {
    context,
    actions,
    panels,
    comparisons,
    targets,
    refreshViews: () => views.refreshAll(),
  });
  registerKeepingCommands(extension, { targets, actions, keeper, panels, view: views.runs });
  extension.subscriptions.push(
    store,
    feed,
    moves,
    devices,
    keepContextKeys(store),
    store.onDidChange((runs) => {
      if (runs.some(({ isLive }) => isLive)) tick('run');
    }),
    showRunsInStatusBar(store),
    notifyOfVanished(store),
    notifyOfEnds(store, (run) => panels.isVisible(run.folder) || actions.hasEnded(run), log),
    showDownloads(store, actions),
    vscode.window.registerWebviewPanelSerializer(PANELS.run, panels),
    vscode.window.registerWebviewPanelSerializer(PANELS.comparison, comparisons),
  );
  // A run goes on while no window is there; the one that comes back looks after it again.
  if (store.expectsLiveRuns && vscode.workspace.isTrusted) void actions.load();
  return { views, moves, devices };
}
