import * as vscode from 'vscode';
import { listAdapters, listModels } from '../../server/protocol/models.ts';
import { throttle } from '../../server/throttle.ts';
import type { KnownDevices } from '../doctor/known-devices.ts';
import { SETTINGS, SETTINGS_SECTION, VIEWS } from '../ids.ts';
import { modelFolders } from '../models/model-folders.ts';
import type { RunsContext } from '../runs/runs-context.ts';
import { AdaptersView } from './adapters-view.ts';
import { deviceItem, modelItem } from './asset-items.ts';
import { ListView } from './list-view.ts';
import { RunsView } from './runs-view.ts';
import { watchDisk } from './watch-disk.ts';

/** How often adapters are looked for while a run writes checkpoints, in milliseconds: a small one writes several a second. */
const LOOK_MS = 2000;

/** What there may be more or less of on disk: adapters alone, or everything. */
export type AssetChange = 'adapters' | 'all';

/** The views, as those see them who steer them. */
export interface Views {
  readonly runs: RunsView;
  readonly adapters: AdaptersView;
  /** Fires when there may be other adapters or models on disk. */
  readonly onDidChangeAssets: vscode.Event<AssetChange>;
  /** Looks at the disk again for all of them. */
  refreshAll(): Promise<void>;
}

/**
 * Registers the views of the activity bar. The server starts when one of them is first opened; from
 * then on what they show follows the disk.
 */
export function registerViews(
  extension: vscode.ExtensionContext,
  { server, store, log, moves }: RunsContext,
  known: KnownDevices,
): Views {
  const failed = (error: unknown): void => log.error(String(error));
  const runs = new RunsView(store, extension.workspaceState, failed);
  const adapters = new AdaptersView(
    async () => {
      const [found] = await Promise.all([server.ask(listAdapters, {}), store.load()]);
      return found;
    },
    store,
    failed,
  );
  const models = new ListView(VIEWS.baseModels, {
    read: () => server.ask(listModels, { folders: modelFolders() }),
    draw: modelItem,
    onFailure: failed,
  });
  const devices = new ListView(VIEWS.devices, {
    read: () => known.look(),
    draw: deviceItem,
    onFailure: failed,
  });
  const didChangeAssets = new vscode.EventEmitter<AssetChange>();
  const refreshAdapters = (): void => {
    adapters.refresh();
    didChangeAssets.fire('adapters');
  };
  const refreshModels = (): void => {
    models.refresh();
    didChangeAssets.fire('all');
  };
  const refreshLists = (): void => {
    for (const view of [runs, adapters]) view.refresh();
    known.forget();
    refreshModels();
  };
  const lookForRuns = (): void => {
    // Nobody has wanted to see runs yet.
    if (store.isKnown) store.refresh().catch(failed);
  };
  extension.subscriptions.push(
    runs,
    didChangeAssets,
    adapters,
    models,
    devices,
    watchDisk(store, {
      onRuns: lookForRuns,
      onAdapters: refreshAdapters,
      onModels: refreshModels,
    }),
    known.onDidForget(() => devices.refresh()),
    moves.event((move) => {
      adapters.follow(move);
      didChangeAssets.fire('adapters');
    }),
    // What a run writes into is not offered another name.
    store.onDidChangeLive(() => adapters.refresh()),
    // A run that has ended has left an adapter.
    store.onDidEnd(refreshAdapters),
    store.onDidChangeCheckpoints(throttle(LOOK_MS, refreshAdapters)),
    vscode.workspace.onDidGrantWorkspaceTrust(refreshLists),
    // Elsewhere, as in the Hugging Face cache, a download may have ended meanwhile.
    vscode.window.onDidChangeWindowState(({ focused }) => {
      if (focused) refreshModels();
    }),
    vscode.workspace.onDidChangeConfiguration((change) => {
      if (change.affectsConfiguration(`${SETTINGS_SECTION}.${SETTINGS.modelFolders}`)) {
        refreshModels();
      }
    }),
  );
  return {
    runs,
    adapters,
    onDidChangeAssets: didChangeAssets.event,
    refreshAll: async () => {
      await store.refresh();
      refreshLists();
    },
  };
}
