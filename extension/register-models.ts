import * as vscode from 'vscode';
import { type CommandTable, registerCommands } from './commands.ts';
import { saveConfig } from './config-editor/save-config.ts';
import { configOfData, isConfigFile } from './data-preview/config-of-data.ts';
import { DataPreviews } from './data-preview/data-previews.ts';
import { tellCudaFolder } from './doctor/cuda-folder.ts';
import { showDoctor } from './doctor/doctor.ts';
import type { KnownDevices } from './doctor/known-devices.ts';
import { CudaSetup } from './doctor/set-up-cuda.ts';
import { Estimates } from './estimate/estimate.ts';
import type { FolderMove } from './folder-move.ts';
import { moveTabs } from './folder-tabs.ts';
import { AdapterPushes } from './hub/push-adapter.ts';
import { COMMANDS, PANELS, REPORT_SCHEME } from './ids.ts';
import { AdapterKeeper } from './models/adapter-keeper.ts';
import { registerChatModels } from './models/chat-provider.ts';
import { chooseAdapter, rowFolderOf } from './models/choose-adapter.ts';
import { emptyCacheOfWeights } from './models/empty-weight-cache.ts';
import { AdapterExports } from './models/export-adapter.ts';
import { SelectionRunner } from './models/run-selection.ts';
import { TextGeneration } from './models/text-generation.ts';
import { Playground } from './playground/playground-panel.ts';
import { reportFailure } from './report-failure.ts';
import { Reports } from './reports/reports.ts';
import { chooseConfigFile } from './runs/choose-run.ts';
import type { ServerLink } from './server-link.ts';
import { uriOf } from './uri-of.ts';
import { onDoubleClick } from './views/double-click.ts';
import type { Views } from './views/views.ts';
import { openDemo, openDemoOfNewWindow } from './walkthrough/open-demo.ts';

/** What everything around models works with. */
export interface ModelsContext {
  readonly server: ServerLink;
  readonly log: vscode.LogOutputChannel;
  readonly views: Views;
  /** Fires when a run or an adapter has another name, which this is told of too. */
  readonly moves: vscode.EventEmitter<FolderMove>;
  readonly devices: KnownDevices;
}

/** What people do around runs: look at data, try models and adapters, pass them on. */
export function registerModels(
  extension: vscode.ExtensionContext,
  { server, log, views, moves, devices }: ModelsContext,
): void {
  const { extensionUri } = extension;
  const generation = new TextGeneration(server);
  const previews = new DataPreviews({ extensionUri, log, server });
  const playground = new Playground({
    ...{ extensionUri, log, server, generation, devices },
    onDidChangeAssets: views.onDidChangeAssets,
    memory: extension.workspaceState,
  });
  const selection = new SelectionRunner(server, generation, extension.workspaceState);
  const reports = new Reports();
  const estimates = new Estimates(server, reports, log);
  const exports = new AdapterExports(server, extension.workspaceState);
  const keeper = new AdapterKeeper(server, moves, views.adapters);
  const pushes = new AdapterPushes(server, reports);
  const cuda = new CudaSetup(server, () => views.refreshAll());
  /** Tells what goes wrong in a notification, with the way out. */
  const attempt =
    (action: (arg: unknown) => unknown) =>
    async (arg?: unknown): Promise<void> => {
      try {
        await action(arg);
      } catch (error) {
        reportFailure(error, log);
      }
    };
  /** The folder of the adapter that is to be tried, if a command was called for one; that of the newest checkpoint of a run without a result. */
  const triedFolder = async (arg: unknown): Promise<string | undefined> => {
    const folder = rowFolderOf(arg);
    return folder === undefined ? undefined : (await chooseAdapter(server, folder, ''))?.path;
  };
  const test = attempt(async (arg) => {
    const adapter = await triedFolder(arg);
    await playground.show({ adapter, prompt: promptOf(arg), tab: 'prompt' });
  });
  const exportAdapter = attempt((arg) => exports.run(arg));
  if (vscode.workspace.isTrusted) void exports.tellInterrupted(exportAdapter);
  const table: CommandTable = {
    [COMMANDS.openDemo]: attempt(() => openDemo(extension)),
    [COMMANDS.previewData]: attempt(async (arg) => {
      const title = vscode.l10n.t('Preview the data of which run configuration?');
      const given = uriOf(arg);
      const file =
        given === undefined || isConfigFile(given)
          ? (given ?? (await chooseConfigFile(title)))
          : await configOfData(given, title);
      if (file !== undefined && (await saveConfig(file))) previews.show(file);
    }),
    [COMMANDS.estimateRun]: attempt(async (arg) => {
      const title = vscode.l10n.t('Estimate which run configuration?');
      const file = uriOf(arg) ?? (await chooseConfigFile(title));
      if (file !== undefined && (await saveConfig(file))) await estimates.show(file);
    }),
    [COMMANDS.testAdapter]: test,
    [COMMANDS.clickAdapter]: onDoubleClick(test),
    [COMMANDS.enterAdapter]: test,
    [COMMANDS.chatWithAdapter]: attempt(async (arg) => {
      const adapter = await triedFolder(arg);
      await playground.show({ adapter, tab: 'chat' });
    }),
    [COMMANDS.exportAdapter]: exportAdapter,
    [COMMANDS.renameAdapter]: attempt((arg) => keeper.rename(arg)),
    [COMMANDS.revealAdapter]: attempt((arg) => keeper.reveal(arg)),
    [COMMANDS.deleteAdapter]: attempt((arg) => keeper.delete(arg)),
    [COMMANDS.pushAdapter]: attempt((arg) => pushes.run(arg)),
    [COMMANDS.runSelection]: attempt(() => selection.run()),
    [COMMANDS.runSelectionWith]: attempt(() => selection.runWith()),
    [COMMANDS.emptyWeightCache]: attempt(() => emptyCacheOfWeights(server)),
    [COMMANDS.doctor]: attempt(() => showDoctor(server, reports, log)),
    [COMMANDS.setUpCuda]: attempt(() => cuda.run()),
  };
  registerCommands(extension, table);
  void openDemoOfNewWindow(extension);
  registerChatModels(extension, { server, generation, onDidMove: moves.event });
  extension.subscriptions.push(
    moves.event((move) => {
      const following = [playground.follow(move), selection.follow(move), moveTabs(move)];
      Promise.all(following).catch((error: unknown) => log.error(String(error)));
    }),
    tellCudaFolder(server, () => devices.forget()),
    reports,
    vscode.workspace.registerTextDocumentContentProvider(REPORT_SCHEME, reports),
    vscode.window.registerWebviewPanelSerializer(PANELS.dataPreview, previews),
    vscode.window.registerWebviewPanelSerializer(PANELS.playground, playground),
  );
}

/** A prompt to begin with, as the walkthrough gives one. */
function promptOf(arg: unknown): string | undefined {
  if (typeof arg !== 'object' || arg === null || !('prompt' in arg)) return undefined;
  return typeof arg.prompt === 'string' ? arg.prompt : undefined;
}
