import * as vscode from 'vscode';
import {
  examineMachine,
  listAdapters,
  listModels,
  type RunSummary,
} from '../../server/protocol.ts';
import { SETTINGS, SETTINGS_SECTION, VIEWS } from '../ids.ts';
import type { RunsContext } from '../runs/runs-context.ts';
import { throttle } from '../throttle.ts';
import { adapterItem, deviceItem, modelItem } from './asset-items.ts';
import { ListView } from './list-view.ts';
import { machineDevices } from './machine-report.ts';
import { runItem } from './run-item.ts';

/** A run tells of every step; nobody reads a list that fast. */
const REFRESH_MS = 500;

/**
 * Registers the views of the activity bar. The server starts when one of them is first opened.
 *
 * @returns looks at the disk again for all of them
 */
export function registerViews(
  extension: vscode.ExtensionContext,
  { server, store, log }: RunsContext,
): () => Promise<void> {
  const failed = (error: unknown): void => log.error(String(error));
  const runs = new ListView<RunSummary>(() => store.load(), runItem, failed);
  const adapters = new ListView(() => server.ask(listAdapters, {}), adapterItem, failed);
  const models = new ListView(
    () => server.ask(listModels, { folders: modelFolders() }),
    modelItem,
    failed,
  );
  const devices = new ListView(
    async () => machineDevices(await server.ask(examineMachine, {})),
    deviceItem,
    failed,
  );
  const refreshAll = (): void => {
    for (const view of [runs, adapters, models, devices]) view.refresh();
  };
  extension.subscriptions.push(
    vscode.window.registerTreeDataProvider(VIEWS.runs, runs),
    vscode.window.registerTreeDataProvider(VIEWS.adapters, adapters),
    vscode.window.registerTreeDataProvider(VIEWS.baseModels, models),
    vscode.window.registerTreeDataProvider(VIEWS.devices, devices),
    store.onDidChange(throttle(REFRESH_MS, () => runs.refresh())),
    // A run that has ended has left an adapter.
    store.onDidEnd(() => adapters.refresh()),
    vscode.workspace.onDidGrantWorkspaceTrust(refreshAll),
    vscode.workspace.onDidChangeConfiguration((change) => {
      if (change.affectsConfiguration(`${SETTINGS_SECTION}.${SETTINGS.modelFolders}`)) {
        models.refresh();
      }
    }),
  );
  return async () => {
    await store.refresh();
    refreshAll();
  };
}

/** Where the user keeps base models, besides the workspace and the Hugging Face cache. */
export function modelFolders(): readonly string[] {
  return vscode.workspace
    .getConfiguration(SETTINGS_SECTION)
    .get<readonly string[]>(SETTINGS.modelFolders, []);
}
