import * as vscode from 'vscode';
import { gpuIndex } from '../../server/gpu-index.ts';
import {
  getRunConfig,
  getRunReports,
  type RunConfig,
  type RunSummary,
} from '../../server/protocol/runs.ts';
import { PANELS } from '../ids.ts';
import { canChat } from '../models/can-chat.ts';
import { panelTabs, titlePanel } from '../show/panel.ts';
import { withRelativePaths } from '../show/relative-paths.ts';
import { tick } from '../walkthrough/tick.ts';
import { renderWebviewPage, webviewRoot } from '../webview/webview-page.ts';
import { bestCheckpoint } from './checkpoint-rows.ts';
import { tellGone } from './gone-runs.ts';
import type { GpuReading } from './gpu-history.ts';
import { describeGpu, deviceLabel } from './gpu-texts.ts';
import { historyRows } from './history-rows.ts';
import { latestRanks } from './latest-ranks.ts';
import type { RunActions } from './run-actions.ts';
import { abilitiesOf, resultCheckpoint } from './run-list.ts';
import type { RunPanelNews, RunPanelRequest, RunPanelTask } from './run-panel-messages.ts';
import { runPanelTexts } from './run-panel-texts.ts';
import {
  describeAttempt,
  describeNoResume,
  describeRun,
  formatDuration,
  outcomeLabel,
  reasonOf,
  secondsOf,
  standingLabel,
} from './run-texts.ts';
import type { RunsContext } from './runs-context.ts';
import { sampleRows } from './sample-rows.ts';
import { sessionWarnings } from './session-warnings.ts';
import { shownConfigRows } from './shown-config-rows.ts';

/** How long a run may not be found before its panel is closed, in milliseconds. */
const GONE_MS = 2000;

/**
 * The panel of a run, which can become that of another one. The page is given everything anew
 * whenever its script starts: when it is opened, restored after a reload of the window, or shown
 * again after another tab was in front.
 */
export class RunPanel {
  #folder: string;
  readonly #panel: vscode.WebviewPanel;
  readonly #context: RunsContext;
  readonly #actions: RunActions;
  /** Ends with the panel. */
  readonly #subscriptions: vscode.Disposable[] = [];
  /** Whether the page is there and asked for what it shows. */
  #isReady = false;
  #watch: vscode.Disposable | undefined;
  #leaving: NodeJS.Timeout | undefined;
  /** The adapter that it was asked of whether one can chat with it. */
  #chatAdapter: string | null = null;
  /** The latest that the page knows of its GPU. */
  #toldReading: GpuReading | undefined;
  /** Folder of the run whose configuration is shown beside. */
  #comparedWith: string | null = null;

  constructor(
    panel: vscode.WebviewPanel,
    folder: string,
    context: RunsContext,
    actions: RunActions,
  ) {
    this.#folder = folder;
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
        if (panel.visible) return;
        this.#isReady = false;
        this.#unwatch();
      }),
      store.onDidChange(() => this.#tellRun()),
    );
    panel.onDidDispose(() => {
      this.#unwatch();
      clearTimeout(this.#leaving);
      for (const subscription of this.#subscriptions) subscription.dispose();
    });
    this.#load();
  }

  /** The run that it shows. */
  get folder(): string {
    return this.#folder;
  }

  get title(): string {
    return this.#panel.title;
  }

  get isActive(): boolean {
    return this.#panel.active;
  }

  get isVisible(): boolean {
    return this.#panel.visible;
  }

  /** Whether the user wants to keep it: its tab is pinned. */
  get isPinned(): boolean {
    const { title, viewColumn } = this.#panel;
    return panelTabs(PANELS.run).some(
      ({ group, isPinned, label }) =>
        group.viewColumn === viewColumn && label === title && isPinned,
    );
  }

  /** Shows another run in it, from the start; a tab that is behind another one does so when it comes to the front. */
  turnTo(folder: string, name: string): void {
    this.#unwatch();
    this.#folder = folder;
    this.#comparedWith = null;
    titlePanel(this.#panel, name);
    this.#load();
  }

  reveal(preserveFocus = false): void {
    this.#panel.reveal(undefined, preserveFocus);
  }

  onDidDispose(handler: () => void): void {
    this.#panel.onDidDispose(handler);
  }

  #load(): void {
    this.#isReady = false;
    const { webview, title } = this.#panel;
    webview.html = renderWebviewPage(webview, this.#context.extensionUri, {
      bundle: 'run-panel',
      title,
      texts: runPanelTexts(),
    });
  }

  /** A page that is not there yet asks for everything when it is. */
  #tell(news: RunPanelNews): void {
    if (!this.#isReady) return;
    void this.#panel.webview.postMessage(news);
  }

  async #answer(request: RunPanelRequest): Promise<void> {
    switch (request.type) {
      case 'ready':
        this.#isReady = true;
        await this.#sendAll();
        break;
      case 'compareConfig':
        this.#comparedWith = request.folder;
        await this.#tellConfig();
        break;
      default:
        await this.#do(request);
    }
  }

  /** Does what a button says, as long as the run is there. */
  async #do(request: RunPanelTask): Promise<void> {
    const [run] = await this.#actions.present([this.#folder]);
    if (run === undefined) return;
    switch (request.type) {
      case 'control':
        await this.#actions.control(this.#folder, request.action);
        break;
      case 'checkpoint':
        await this.#actions.useCheckpoint(request.task, this.#folder, request.folder);
        break;
      case 'open':
        await this.#actions.openFiles(this.#folder, request.what);
        break;
      case 'export':
        await this.#actions.exportMetrics(run);
        break;
    }
  }

  async #sendAll(): Promise<void> {
    this.#unwatch();
    this.#chatAdapter = null;
    this.#toldReading = undefined;
    const runs = await this.#actions.load();
    if (runs !== undefined && this.#context.store.find(this.#folder) === undefined) {
      this.#panel.dispose();
      tellGone([this.#folder]);
      return;
    }
    this.#tellRun();
    await this.#tellConfig();
    this.#watch = this.#context.feed.watch(this.#folder, {
      onEvents: (entries, isStart) => {
        const rows = historyRows(entries);
        if (entries.some(({ type }) => type === 'step')) tick('watch');
        if (isStart || rows.length > 0) this.#tell({ type: 'rows', isStart, rows });
        const samples = sampleRows(entries);
        if (isStart || samples.length > 0) this.#tell({ type: 'samples', isStart, rows: samples });
        const warnings = sessionWarnings(entries);
        if (isStart || warnings.isStart || warnings.messages.length > 0) {
          this.#tell({
            type: 'warnings',
            isStart: isStart || warnings.isStart,
            messages: warnings.messages.map(withRelativePaths),
          });
        }
        const ranks = latestRanks(entries);
        if (ranks !== undefined) this.#tell({ type: 'ranks', ranks });
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

  /** Closes the panel of a run that was deleted or moved; one that is being renamed is soon found again. */
  #closeIfGone(): void {
    this.#leaving ??= setTimeout(() => {
      this.#leaving = undefined;
      const { store } = this.#context;
      if (store.isKnown && store.find(this.#folder) === undefined) this.#panel.dispose();
    }, GONE_MS);
  }

  #tellRun(): void {
    const { store } = this.#context;
    const run = store.find(this.#folder);
    if (run === undefined) {
      this.#closeIfGone();
      return;
    }
    const { unheard } = run;
    const { state, etaSeconds, verdict, device } = run.status;
    const { gpus } = store;
    titlePanel(this.#panel, run.name);
    const attempt = describeAttempt(run);
    if (!run.isLive) void this.#tellChat(run.adapter);
    this.#tell({
      type: 'run',
      run,
      abilities: abilitiesOf(run),
      stateLabel: standingLabel(run),
      verdictLabel: verdict === null || state === 'failed' ? null : outcomeLabel(run.status),
      description: describeRun(run),
      reason: withRelativePaths(reasonOf(run)),
      bestCheckpoint: bestCheckpoint(run.checkpoints)?.folder ?? null,
      resultCheckpoint: resultCheckpoint(run)?.folder ?? null,
      noResume: describeNoResume(run) ?? null,
      attempt: attempt === undefined ? null : withRelativePaths(attempt),
      began: run.began && new Date(run.began).toLocaleString(vscode.env.language),
      duration: run.began && formatDuration(secondsOf(run)),
      device: device && deviceLabel(device, gpus),
      gpu: (run.isLive && device !== null && describeGpu(device, gpus)) || null,
      timeLeft:
        state === 'running' && etaSeconds !== null && unheard === null
          ? formatDuration(etaSeconds)
          : null,
    });
    this.#tellGpu(run);
  }

  /** Tells what its GPU did each time that it was looked at. */
  #tellGpu({ isLive, status: { device } }: RunSummary): void {
    if (!this.#isReady) return;
    const index = isLive && device !== null ? gpuIndex(device) : undefined;
    const readings = index === undefined ? [] : this.#context.store.gpuHistory.of(index);
    const latest = readings.at(-1);
    if (latest === this.#toldReading) return;
    this.#toldReading = latest;
    this.#tell({ type: 'gpu', readings });
  }

  /** Tells once of each adapter whether one can chat with it. */
  async #tellChat(adapter: string | null): Promise<void> {
    if (!this.#isReady || adapter === null || adapter === this.#chatAdapter) return;
    this.#chatAdapter = adapter;
    const isPossible = await canChat(this.#context.server, adapter);
    if (adapter !== this.#chatAdapter) return;
    this.#tell({ type: 'chat', adapter, isPossible });
  }

  async #tellConfig(): Promise<void> {
    const { server, store } = this.#context;
    const read = (folder: string): Promise<RunConfig> =>
      server.ask(getRunConfig, { folder }).catch(() => null);
    const comparedWith = this.#comparedWith;
    const shown = comparedWith === null ? [this.#folder] : [this.#folder, comparedWith];
    const [configs, reports] = await Promise.all([
      Promise.all(shown.map(read)),
      server.ask(getRunReports, { folder: this.#folder }).catch(() => null),
    ]);
    this.#tell({
      type: 'config',
      rows: shownConfigRows(configs),
      reports,
      comparedWith,
      others: store.runs
        .filter(({ folder }) => folder !== this.#folder)
        .map(({ folder, name }) => ({ folder, name })),
    });
  }
}
