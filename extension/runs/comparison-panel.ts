import path from 'node:path';
import * as vscode from 'vscode';
import { getRunConfig, type RunConfig, type RunSummary } from '../../server/protocol/runs.ts';
import { COMMANDS, PANELS } from '../ids.ts';
import { openPanel } from '../show/panel.ts';
import { renderWebviewPage, webviewRoot } from '../webview/webview-page.ts';
import { bestRuns, measuredOn } from './best-runs.ts';
import type { ComparisonNews, ComparisonRequest } from './comparison-messages.ts';
import { comparisonCsv, describeBest, resultRows } from './comparison-table.ts';
import { configRows } from './config-differences.ts';
import { historyRows } from './history-rows.ts';
import type { RunActions } from './run-actions.ts';
import type { RunList } from './run-list.ts';
import { comparisonTexts } from './run-panel-texts.ts';
import { describeRun } from './run-texts.ts';
import type { RunsContext } from './runs-context.ts';
import { shownConfigRows } from './shown-config-rows.ts';

/** Opens panels that put runs beside each other, and restores them after a reload of the window. */
export class ComparisonPanels implements vscode.WebviewPanelSerializer {
  readonly #context: RunsContext;
  readonly #actions: RunActions;

  constructor(context: RunsContext, actions: RunActions) {
    this.#context = context;
    this.#actions = actions;
  }

  show(folders: readonly string[]): void {
    this.#fill(openPanel(PANELS.comparison, vscode.l10n.t('Compare Runs')), folders);
  }

  async deserializeWebviewPanel(panel: vscode.WebviewPanel, state: unknown): Promise<void> {
    const folders = foldersOf(state);
    if (folders === undefined || folders.length === 0) panel.dispose();
    else this.#fill(panel, folders);
  }

  #fill(panel: vscode.WebviewPanel, folders: readonly string[]): void {
    const { extensionUri, server, store, feed } = this.#context;
    const actions = this.#actions;
    let watches: readonly vscode.Disposable[] = [];

    const tell = (news: ComparisonNews): void => void panel.webview.postMessage(news);
    const shownRuns = (): RunList => folders.flatMap((folder) => store.find(folder) ?? []);
    /** The folders of those whose configurations the page has. */
    let configured = '';
    /** What the losses of each run are of, once its configuration was read. */
    let measured: ReadonlyMap<string, string> = new Map();
    const tellConfigs = async (): Promise<void> => {
      const shown = shownRuns();
      configured = foldersIn(shown);
      const configs = await readConfigs();
      measured = new Map(shown.map(({ folder }, index) => [folder, measuredOn(configs[index]!)]));
      tell({ type: 'config', rows: shownConfigRows(configs) });
      tellRuns();
    };
    const tellRuns = (): void => {
      const shown = shownRuns();
      const best = bestRuns(shown, measured);
      const runs = shown.map((run) => ({
        folder: run.folder,
        name: run.name,
        description: describeRun(run),
        best: describeBest(run, best),
      }));
      const isGone = (folder: string): boolean => store.isKnown && store.find(folder) === undefined;
      const gone = folders.filter(isGone).map((folder) => path.basename(folder));
      tell({ type: 'runs', runs, gone, results: resultRows(shown, measured) });
    };
    const readConfigs = (): Promise<readonly RunConfig[]> => {
      const read = ({ folder }: RunSummary): Promise<RunConfig> =>
        server.ask(getRunConfig, { folder }).catch(() => null);
      return Promise.all(shownRuns().map(read));
    };
    const unwatch = (): void => {
      for (const watch of watches) watch.dispose();
      watches = [];
    };
    const sendAll = async (): Promise<void> => {
      unwatch();
      await actions.load();
      tellRuns();
      await tellConfigs();
      watches = shownRuns().map(({ folder }) =>
        feed.watch(folder, {
          onEvents: (entries, isStart) => {
            const rows = historyRows(entries);
            if (isStart || rows.length > 0) tell({ type: 'rows', folder, isStart, rows });
          },
          onLog: () => undefined,
        }),
      );
    };

    panel.iconPath = vscode.Uri.joinPath(extensionUri, 'media', 'icons', 'lorafa.svg');
    panel.webview.options = {
      enableScripts: true,
      localResourceRoots: [webviewRoot(extensionUri)],
    };
    const subscriptions = vscode.Disposable.from(
      store.onDidChange(() => {
        tellRuns();
        // One that was deleted takes its column with it.
        if (foldersIn(shownRuns()) !== configured) void tellConfigs();
      }),
      panel.onDidChangeViewState(() => {
        // A page in the background is unloaded: nobody would read what is sent to it.
        if (!panel.visible) unwatch();
      }),
      panel.webview.onDidReceiveMessage(async (request: ComparisonRequest) => {
        if (request.type === 'ready') await sendAll();
        else if (request.type === 'export') {
          const config = configRows(await readConfigs());
          await actions.exportText(comparisonCsv(shownRuns(), config), 'runs.csv');
        } else await vscode.commands.executeCommand(COMMANDS.openRunPanel, request.folder);
      }),
    );
    panel.onDidDispose(() => {
      unwatch();
      subscriptions.dispose();
    });
    panel.webview.html = renderWebviewPage(panel.webview, extensionUri, {
      bundle: 'comparison-panel',
      title: panel.title,
      texts: comparisonTexts(),
    });
  }
}

function foldersIn(runs: RunList): string {
  return JSON.stringify(runs.map(({ folder }) => folder));
}

/** What the page stored is data from outside: it may come from another version of the page. */
function foldersOf(state: unknown): readonly string[] | undefined {
  if (typeof state !== 'object' || state === null || !('folders' in state)) return undefined;
  const { folders } = state;
  const areStrings =
    Array.isArray(folders) && folders.every((folder) => typeof folder === 'string');
  return areStrings ? folders : undefined;
}
