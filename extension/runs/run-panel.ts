import * as vscode from 'vscode';
import { getRunConfig, type RunConfig } from '../../server/protocol.ts';
import { PANELS } from '../ids.ts';
import { showWarning } from '../show/notifications.ts';
import { openPanel, titlePanel } from '../show/panel.ts';
import { renderWebviewPage, webviewRoot } from '../webview/webview-page.ts';
import { configRows } from './config-differences.ts';
import { historyRows } from './history-rows.ts';
import type { RunActions } from './run-actions.ts';
import { abilitiesOf } from './run-list.ts';
import type { RunPanelNews, RunPanelRequest } from './run-panel-messages.ts';
import { runPanelTexts } from './run-panel-texts.ts';
import { describeRun, formatDuration, outcomeLabel, stateLabel } from './run-texts.ts';
import type { RunsContext } from './runs-context.ts';
import { sampleRows } from './sample-rows.ts';
import { sessionWarnings } from './session-warnings.ts';

/**
 * The panel of one run. The page is given everything anew whenever its script starts: when it is
 * opened, restored after a reload of the window, or shown again after another tab was in front.
 */
export class RunPanel {
  readonly folder: string;
  readonly #panel: vscode.WebviewPanel;
  readonly #context: RunsContext;
  readonly #actions: RunActions;
  /** Ends with the panel. */
  readonly #subscriptions: vscode.Disposable[] = [];
  #watch: vscode.Disposable | undefined;
  /** Folder of the run whose configuration is shown beside. */
  #comparedWith: string | null = null;

  constructor(
    panel: vscode.WebviewPanel,
    folder: string,
    context: RunsContext,
    actions: RunActions,
  ) {
    this.folder = folder;
    this.#panel = panel;
    this.#context = context;
    this.#actions = actions;
    const { extensionUri, store } = context;
    panel.iconPath = vscode.Uri.joinPath(extensionUri, 'media', 'icons', 'lorafa.svg');
    panel.webview.options = {
      enableScripts: true,
      localResourceRoots: [webviewRoot(extensionUri)],
    };
    this.#subscriptions.push(
      panel.webview.onDidReceiveMessage((request: RunPanelRequest) => this.#answer(request)),
      panel.onDidChangeViewState(() => {
        // A page in the background is unloaded: nobody would read what is sent to it.
        if (!panel.visible) this.#unwatch();
      }),
      store.onDidChange(() => this.#tellRun()),
    );
    panel.onDidDispose(() => {
      this.#unwatch();
      for (const subscription of this.#subscriptions) subscription.dispose();
    });
    panel.webview.html = renderWebviewPage(panel.webview, extensionUri, {
      bundle: 'run-panel',
      title: panel.title,
      texts: runPanelTexts(),
    });
  }

  get isActive(): boolean {
    return this.#panel.active;
  }

  reveal(): void {
    this.#panel.reveal();
  }

  onDidDispose(handler: () => void): void {
    this.#panel.onDidDispose(handler);
  }

  #tell(news: RunPanelNews): void {
    void this.#panel.webview.postMessage(news);
  }

  async #answer(request: RunPanelRequest): Promise<void> {
    switch (request.type) {
      case 'ready':
        await this.#sendAll();
        break;
      case 'control':
        await this.#actions.control(this.folder, request.action);
        break;
      case 'checkpoint':
        await this.#actions.useCheckpoint(request.task, this.folder, request.folder);
        break;
      case 'compareConfig':
        this.#comparedWith = request.folder;
        await this.#tellConfig();
        break;
      case 'open':
        await this.#actions.openFiles(this.folder, request.what);
        break;
    }
  }

  async #sendAll(): Promise<void> {
    this.#unwatch();
    const runs = await this.#actions.load();
    if (runs !== undefined && this.#context.store.find(this.folder) === undefined) {
      this.#panel.dispose();
      void showWarning(vscode.l10n.t('The run in {0} is not there any more.', this.folder));
      return;
    }
    this.#tellRun();
    await this.#tellConfig();
    this.#watch = this.#context.feed.watch(this.folder, {
      onEvents: (entries, isStart) => {
        const rows = historyRows(entries);
        if (isStart || rows.length > 0) this.#tell({ type: 'rows', isStart, rows });
        const samples = sampleRows(entries);
        if (isStart || samples.length > 0) this.#tell({ type: 'samples', isStart, rows: samples });
        const warnings = sessionWarnings(entries);
        if (isStart || warnings.isStart || warnings.messages.length > 0) {
          this.#tell({ type: 'warnings', ...warnings, isStart: isStart || warnings.isStart });
        }
        const started = entries.findLast((entry) => entry.type === 'started');
        if (started === undefined) return;
        this.#tell({ type: 'facts', facts: started.run });
        // The configuration is stored at the start, and anew when the run is resumed.
        void this.#tellConfig();
      },
      onLog: (lines, isStart) => this.#tell({ type: 'log', lines, isStart }),
    });
  }

  #unwatch(): void {
    this.#watch?.dispose();
    this.#watch = undefined;
  }

  #tellRun(): void {
    const run = this.#context.store.find(this.folder);
    if (run === undefined) return;
    const { state, etaSeconds, verdict } = run.status;
    titlePanel(this.#panel, run.name);
    this.#tell({
      type: 'run',
      run,
      abilities: abilitiesOf(run),
      stateLabel: stateLabel(state),
      verdictLabel: verdict === null || state === 'failed' ? null : outcomeLabel(run.status),
      description: describeRun(run),
      timeLeft: state === 'running' && etaSeconds !== null ? formatDuration(etaSeconds) : null,
    });
  }

  async #tellConfig(): Promise<void> {
    const { server, store } = this.#context;
    const read = (folder: string): Promise<RunConfig> =>
      server.ask(getRunConfig, { folder }).catch(() => null);
    const comparedWith = this.#comparedWith;
    const shown = comparedWith === null ? [this.folder] : [this.folder, comparedWith];
    this.#tell({
      type: 'config',
      rows: configRows(await Promise.all(shown.map(read))),
      comparedWith,
      others: store.runs
        .filter(({ folder }) => folder !== this.folder)
        .map(({ folder, name }) => ({ folder, name })),
    });
  }
}

/** Opens run panels, one for each run at most, and restores them after a reload of the window. */
export class RunPanels implements vscode.WebviewPanelSerializer {
  readonly #context: RunsContext;
  readonly #actions: RunActions;
  readonly #open = new Map<string, RunPanel>();

  constructor(context: RunsContext, actions: RunActions) {
    this.#context = context;
    this.#actions = actions;
  }

  /** The run whose panel is in front. */
  get activeFolder(): string | undefined {
    return [...this.#open.values()].find(({ isActive }) => isActive)?.folder;
  }

  show(folder: string, name: string): void {
    const known = this.#open.get(folder);
    if (known !== undefined) {
      known.reveal();
      return;
    }
    this.#add(openPanel(PANELS.run, name), folder);
  }

  async deserializeWebviewPanel(panel: vscode.WebviewPanel, state: unknown): Promise<void> {
    const folder = folderOf(state);
    if (folder === undefined || this.#open.has(folder)) panel.dispose();
    else this.#add(panel, folder);
  }

  #add(panel: vscode.WebviewPanel, folder: string): void {
    const made = new RunPanel(panel, folder, this.#context, this.#actions);
    this.#open.set(folder, made);
    made.onDidDispose(() => this.#open.delete(folder));
  }
}

/** What the page stored is data from outside: it may come from another version of the page. */
function folderOf(state: unknown): string | undefined {
  if (typeof state !== 'object' || state === null || !('folder' in state)) return undefined;
  return typeof state.folder === 'string' ? state.folder : undefined;
}
