import * as vscode from 'vscode';
import {
  describeTraining,
  type FoundModel,
  lookForChatTemplate,
} from '../../server/protocol/models.ts';
import type { KnownDevices } from '../doctor/known-devices.ts';
import { offeredDevice } from '../doctor/offered-device.ts';
import { type FolderMove, movedPath } from '../folder-move.ts';
import { PANELS } from '../ids.ts';
import { noAdapterIn } from '../models/choose-adapter.ts';
import { type ModelCatalog, readCatalog } from '../models/model-catalog.ts';
import { adapterOf } from '../models/run-results.ts';
import type { TextGeneration } from '../models/text-generation.ts';
import { logFailure } from '../report-failure.ts';
import type { ServerLink } from '../server-link.ts';
import { openPanel, panelTabs } from '../show/panel.ts';
import { withRelativePaths } from '../show/relative-paths.ts';
import type { AssetChange } from '../views/views.ts';
import { tick } from '../walkthrough/tick.ts';
import { renderWebviewPage, webviewRoot } from '../webview/webview-page.ts';
import type {
  ChatSubject,
  GenerateRequest,
  HistoryRequest,
  PlaygroundNews,
  PlaygroundRequest,
  PlaygroundTab,
  WantedText,
} from './playground-messages.ts';
import { playgroundTexts } from './playground-texts.ts';
import { PromptHistory } from './prompt-history.ts';

/** What the playground works with. */
export interface PlaygroundContext {
  readonly extensionUri: vscode.Uri;
  readonly log: vscode.LogOutputChannel;
  readonly server: ServerLink;
  readonly generation: TextGeneration;
  readonly devices: KnownDevices;
  /** Fires when there may be other adapters or models on disk. */
  readonly onDidChangeAssets: vscode.Event<AssetChange>;
  /** Where what was tried is remembered. */
  readonly memory: vscode.Memento;
}

/** With what the playground is opened. */
export interface PlaygroundStart {
  /** Folder of the adapter to try, or of the run whose newest checkpoint is to be tried. */
  readonly adapter?: string | undefined;
  readonly prompt?: string | undefined;
  readonly tab?: PlaygroundTab;
}

/** The panel in which models are tried; one at most, restored after a reload of the window. */
export class Playground implements vscode.WebviewPanelSerializer {
  readonly #context: PlaygroundContext;
  readonly #history: PromptHistory;
  #panel: vscode.WebviewPanel | undefined;
  /** What the page is told when it is ready, or else at once. */
  #start: PlaygroundStart = {};
  #isReady = false;
  /** What has changed on disk that the page was not told of: nobody saw it. */
  #stale: AssetChange | undefined;
  /** The base models that the page was last told of. */
  #models: readonly FoundModel[] | undefined;
  /** Tells one after the other what can be picked, so that what was read last counts. */
  #telling: Promise<void> = Promise.resolve();
  /** Names that adapters have got, and of these the ones that the page has not heard of. */
  readonly #moves: FolderMove[] = [];
  #unheard: FolderMove[] = [];
  /** Ends the texts that are being written. */
  #writing: vscode.CancellationTokenSource | undefined;

  constructor(context: PlaygroundContext) {
    this.#context = context;
    this.#history = new PromptHistory(context.memory);
  }

  async show(start: PlaygroundStart): Promise<void> {
    this.#start = start;
    if (this.#panel !== undefined) {
      this.#panel.reveal();
      if (this.#isReady) await this.#tellCatalog('all');
      return;
    }
    // A text goes on being written while another tab is in front.
    const options = { retainContextWhenHidden: true };
    // One from before a reload, which VS Code restores only when it is shown.
    const before = panelTabs(PANELS.playground);
    this.#open(openPanel(PANELS.playground, vscode.l10n.t('Playground'), options));
    await vscode.window.tabGroups.close(before, true);
  }

  async deserializeWebviewPanel(panel: vscode.WebviewPanel): Promise<void> {
    if (this.#panel === undefined) this.#open(panel);
    else panel.dispose();
  }

  /** An adapter has another name: what was tried with it, and is picked, is the same. */
  async follow(move: FolderMove): Promise<void> {
    const kept = this.#history.move(move);
    this.#moves.push(move);
    this.#unheard.push(move);
    if (this.#isReady) this.#tellMoves();
    await kept;
  }

  #tellMoves(): void {
    for (const move of this.#unheard.splice(0)) this.#tell({ type: 'moved', ...move });
  }

  #open(panel: vscode.WebviewPanel): void {
    const { extensionUri } = this.#context;
    this.#panel = panel;
    panel.iconPath = vscode.Uri.joinPath(extensionUri, 'media', 'icons', 'lorafa.svg');
    panel.webview.options = {
      enableScripts: true,
      localResourceRoots: [webviewRoot(extensionUri)],
    };
    const subscriptions = vscode.Disposable.from(
      panel.webview.onDidReceiveMessage((request: PlaygroundRequest) => this.#answer(request)),
      this.#context.onDidChangeAssets((change) => {
        this.#stale = this.#stale === 'all' ? 'all' : change;
        void this.#freshen(panel);
      }),
      this.#context.devices.onDidForget(() => this.#tellDevices()),
      panel.onDidChangeViewState(() => this.#freshen(panel)),
    );
    panel.onDidDispose(() => {
      subscriptions.dispose();
      this.#writing?.cancel();
      this.#panel = undefined;
      this.#isReady = false;
    });
    panel.webview.html = renderWebviewPage(panel.webview, extensionUri, {
      bundle: 'playground',
      title: panel.title,
      texts: playgroundTexts(),
    });
  }

  /** Shows what appeared on disk or vanished from it, to somebody who sees it. */
  async #freshen({ visible }: vscode.WebviewPanel): Promise<void> {
    if (visible && this.#stale !== undefined && this.#isReady) await this.#tellCatalog(this.#stale);
  }

  #tell(news: PlaygroundNews): void {
    void this.#panel?.webview.postMessage(news);
  }

  async #answer(request: PlaygroundRequest): Promise<void> {
    switch (request.type) {
      case 'catalog':
        this.#isReady = true;
        this.#tellMoves();
        void this.#tellDevices();
        await this.#tellCatalog('all');
        break;
      case 'generate':
        await this.#write(request);
        break;
      case 'stop':
        this.#writing?.cancel();
        break;
      case 'chat':
        await this.#tellChat(request);
        break;
      case 'history':
        await this.#tellHistory(request);
        break;
      case 'showLogs':
        this.#context.log.show();
        break;
    }
  }

  /** @param change what is looked for; a run that goes on makes nobody look for base models */
  #tellCatalog(change: AssetChange): Promise<void> {
    this.#stale = undefined;
    this.#telling = this.#telling.then(() => this.#readCatalog(change));
    return this.#telling;
  }

  async #readCatalog(change: AssetChange): Promise<void> {
    try {
      const known = change === 'adapters' ? this.#models : undefined;
      let catalog: ModelCatalog;
      let moves: number;
      do {
        moves = this.#moves.length;
        catalog = await readCatalog(this.#context.server, known);
        // Of what has another name meanwhile the old one may have been read.
      } while (moves !== this.#moves.length);
      this.#models = catalog.models;
      const { adapter: folder, prompt, tab } = this.#start;
      this.#start = {};
      const picked = folder === undefined ? undefined : adapterOf(folder, catalog.adapters);
      const isWhole = known === undefined;
      this.#tell({ type: 'catalog', ...catalog, picked: picked?.path ?? null, isWhole });
      if (folder !== undefined && picked === undefined) {
        this.#tell({ type: 'problem', message: noAdapterIn(folder) });
      }
      if (prompt !== undefined) this.#tell({ type: 'prompt', prompt });
      if (tab !== undefined) this.#tell({ type: 'tab', tab });
    } catch (error) {
      this.#models = undefined;
      this.#tell({ type: 'problem', message: this.#messageOf(error) });
    }
  }

  /** Tells the devices when they are known; until then, and without a server, the page has their names alone. */
  async #tellDevices(): Promise<void> {
    if (!this.#isReady) return;
    const devices = await this.#context.devices.lookAside().catch(() => []);
    this.#tell({ type: 'devices', devices: devices.map(offeredDevice) });
  }

  /** Tells what was tried with an adapter, and what it was trained on. */
  async #tellHistory({ subject: asked, change }: HistoryRequest): Promise<void> {
    const moves = this.#moves.length;
    const born = await birthOf(asked);
    // It may have another name meanwhile.
    const subject = this.#moves.slice(moves).reduce(movedPath, asked);
    if (change === 'clear') await this.#history.clear(subject);
    else if (change !== null) await this.#history.add(subject, change, born);
    this.#tell({ type: 'history', subject, entries: this.#history.entries(subject, born) });
    if (change !== null) return;
    const training = await this.#context.server
      .ask(describeTraining, { folder: subject })
      .catch(() => null);
    this.#tell({ type: 'training', adapter: subject, training });
  }

  async #tellChat({ model, adapter }: ChatSubject): Promise<void> {
    const { server } = this.#context;
    // What is wrong with the files is told when they are to write.
    const hasTemplate = await server.ask(lookForChatTemplate, { model, adapter }).catch(() => null);
    this.#tell({ type: 'chat', model, adapter, hasTemplate });
  }

  async #write(request: GenerateRequest): Promise<void> {
    this.#writing?.cancel();
    const writing = new vscode.CancellationTokenSource();
    this.#writing = writing;
    await Promise.all(request.texts.map((text) => this.#writeText(text, request, writing.token)));
    writing.dispose();
  }

  async #writeText(
    { slot, adapter, quantization }: WantedText,
    { model, device, prompt, sampling }: GenerateRequest,
    token: vscode.CancellationToken,
  ): Promise<void> {
    const wish = { model, device, quantization, adapter, prompt, options: sampling };
    const listener = {
      onPiece: (text: string) => this.#tell({ type: 'piece', slot, text }),
      onLoading: (share: number) => this.#tell({ type: 'loading', slot, share }),
    };
    try {
      const answer = await this.#context.generation.write(wish, listener, token);
      this.#tell({ type: 'done', slot, answer });
      if (adapter !== null && answer.generatedTokens > 0) tick('test');
    } catch (error) {
      this.#tell({ type: 'failed', slot, message: this.#messageOf(error) });
    }
  }

  #messageOf(error: unknown): string {
    return withRelativePaths(logFailure(error, this.#context.log));
  }
}

/** When a file or folder was made, which a new name does not change; undefined where its file system does not tell. */
async function birthOf(file: string): Promise<number | undefined> {
  try {
    const { ctime } = await vscode.workspace.fs.stat(vscode.Uri.file(file));
    return ctime === 0 ? undefined : ctime;
  } catch {
    return undefined;
  }
}
