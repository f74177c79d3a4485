import path from 'node:path';
import * as vscode from 'vscode';
import { failureOf, type ServerLink } from '../server-link.ts';
import { withRelativePaths } from '../show/relative-paths.ts';
import { renderWebviewPage, webviewRoot } from '../webview/webview-page.ts';
import type { DataPreviewNews, DataPreviewRequest } from './data-preview-messages.ts';
import { dataPreviewTexts } from './data-preview-texts.ts';
import { PAGE_ROWS, pageStart, randomPage } from './pages.ts';
import { type PreviewNews, PreviewReader } from './preview-reader.ts';

/** What a data preview works with. */
export interface DataPreviewContext {
  readonly extensionUri: vscode.Uri;
  readonly log: vscode.LogOutputChannel;
  readonly server: ServerLink;
  readonly news: PreviewNews;
}

/** The panel that shows the training data of one configuration as training sees them. */
export class DataPreviewPanel {
  readonly #panel: vscode.WebviewPanel;
  readonly #configFile: string;
  readonly #context: DataPreviewContext;
  /** What the rows are read by; undefined until the page wants some. */
  #reader: PreviewReader | undefined;
  #start = 0;
  /** How many rows the page shows. */
  #shown = 0;
  #search = '';

  constructor(panel: vscode.WebviewPanel, configFile: string, context: DataPreviewContext) {
    this.#panel = panel;
    this.#configFile = configFile;
    this.#context = context;
    const { extensionUri } = context;
    panel.iconPath = vscode.Uri.joinPath(extensionUri, 'media', 'icons', 'lorafa.svg');
    panel.webview.options = {
      enableScripts: true,
      localResourceRoots: [webviewRoot(extensionUri)],
    };
    const saved = vscode.workspace.createFileSystemWatcher(
      new vscode.RelativePattern(path.dirname(configFile), path.basename(configFile)),
    );
    const subscriptions = [
      saved,
      saved.onDidChange(() => this.#read()),
      panel.webview.onDidReceiveMessage((request: DataPreviewRequest) => this.#answer(request)),
    ];
    panel.onDidDispose(() => {
      this.#reader?.dispose();
      for (const subscription of subscriptions) subscription.dispose();
    });
    panel.webview.html = renderWebviewPage(panel.webview, extensionUri, {
      bundle: 'data-preview',
      title: panel.title,
      texts: dataPreviewTexts(),
    });
  }

  reveal(): void {
    this.#panel.reveal();
  }

  onDidDispose(handler: () => void): void {
    this.#panel.onDidDispose(handler);
  }

  #tell(news: DataPreviewNews): void {
    void this.#panel.webview.postMessage(news);
  }

  async #answer(request: DataPreviewRequest): Promise<void> {
    switch (request.type) {
      case 'ready':
        this.#start = request.start;
        await (this.#reader === undefined ? this.#read() : this.#tellAll());
        break;
      case 'rows':
        await this.#show(request.start);
        break;
      case 'random':
        await this.#show(randomPage(this.#start, this.#reader?.rows ?? 0, Math.random()));
        break;
      case 'search':
        await this.#searchFor(request.text);
        break;
      case 'cancel':
        this.#reader?.cancel();
        break;
      case 'refresh':
        await this.#read();
        break;
      case 'openConfig':
        await this.#openFile(this.#configFile, 1);
        break;
      case 'openRow':
        await this.#openFile(request.file, request.line);
        break;
    }
  }

  /** Reads everything anew; rows are shown while it goes on. */
  async #read(): Promise<void> {
    this.#reader?.dispose();
    const { server, news } = this.#context;
    const reader = new PreviewReader(server, news, () => this.#tellNews());
    this.#reader = reader;
    this.#shown = 0;
    this.#tellState();
    try {
      const reading = reader.read(this.#configFile);
      if (this.#search !== '') reader.search(this.#search).catch(() => undefined);
      await reading;
      if (this.#reader === reader) await this.#tellAll();
    } catch (error) {
      if (this.#reader === reader) this.#fail(error);
    }
  }

  async #searchFor(text: string): Promise<void> {
    this.#search = text;
    this.#start = 0;
    this.#shown = 0;
    await this.#attempt(async (reader) => {
      await reader.search(text);
      if (this.#search === text) await this.#tellAll();
    });
  }

  /** Shows the page with a row, as far as it was read. */
  async #show(start: number): Promise<void> {
    await this.#attempt(async (reader) => {
      this.#start = pageStart(start, reader.rows);
      const page = await reader.page(this.#start, PAGE_ROWS);
      // Another page was wanted meanwhile.
      if (page.start !== this.#start || reader !== this.#reader) return;
      this.#shown = page.examples.length;
      this.#tell({ type: 'rows', ...page });
    });
  }

  async #tellAll(): Promise<void> {
    this.#tellState();
    await this.#show(this.#start);
  }

  /** Rows that came since the page was filled belong to it as long as there is room. */
  #tellNews(): void {
    this.#tellState();
    const rows = this.#reader?.rows ?? 0;
    const isFull = this.#shown === PAGE_ROWS || this.#start + this.#shown >= rows;
    if (!isFull) void this.#show(this.#start);
  }

  #tellState(): void {
    const state = this.#reader?.state;
    this.#tell({
      type: 'state',
      configFile: this.#configFile,
      name: path.basename(this.#configFile),
      state: state && {
        ...state,
        problem: state.problem && withRelativePaths(state.problem),
        notes: state.notes.map(withRelativePaths),
      },
      isCancelled: this.#reader?.isCancelled ?? false,
    });
  }

  async #attempt(action: (reader: PreviewReader) => Promise<void>): Promise<void> {
    const reader = this.#reader;
    if (reader?.state === undefined) return;
    try {
      await action(reader);
    } catch (error) {
      if (this.#reader === reader) this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    this.#context.log.error(message);
    const problems = failureOf(error)?.problems ?? [];
    this.#tell({
      type: 'failed',
      message: withRelativePaths(message),
      problems: problems.map(withRelativePaths),
    });
  }

  async #openFile(file: string, line: number): Promise<void> {
    const position = new vscode.Position(line - 1, 0);
    const options: vscode.TextDocumentShowOptions = {
      selection: new vscode.Range(position, position),
      viewColumn: vscode.ViewColumn.Beside,
    };
    const uri = vscode.Uri.file(path.resolve(path.dirname(this.#configFile), file));
    // Not `showTextDocument`: Parquet files are no text, and VS Code says so itself.
    await vscode.commands.executeCommand('vscode.open', uri, options);
  }
}
