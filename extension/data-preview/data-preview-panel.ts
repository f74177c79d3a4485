import path from 'node:path';
import * as vscode from 'vscode';
import { type DataPreview, previewData } from '../../server/protocol.ts';
import { failureOf, type ServerLink } from '../server-link.ts';
import { renderWebviewPage, webviewRoot } from '../webview/webview-page.ts';
import type { DataPreviewNews, DataPreviewRequest } from './data-preview-messages.ts';
import { dataPreviewTexts } from './data-preview-texts.ts';
import { PAGE_ROWS, pageStart, ROWS_READ, randomPage, readStart } from './pages.ts';

/** What a data preview works with. */
export interface DataPreviewContext {
  readonly extensionUri: vscode.Uri;
  readonly log: vscode.LogOutputChannel;
  readonly server: ServerLink;
}

/** Rows as they were last read. */
interface RowsRead {
  readonly start: number;
  readonly preview: DataPreview;
}

/** The panel that shows the training data of one configuration as training sees them. */
export class DataPreviewPanel {
  readonly #panel: vscode.WebviewPanel;
  readonly #configFile: string;
  readonly #context: DataPreviewContext;
  #read: RowsRead | undefined;
  #start = 0;
  /** Ends the reading that goes on. */
  #reading: vscode.CancellationTokenSource | undefined;

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
      saved.onDidChange(() => this.#refresh()),
      panel.webview.onDidReceiveMessage((request: DataPreviewRequest) => this.#answer(request)),
    ];
    panel.onDidDispose(() => {
      this.#reading?.cancel();
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
    const used = this.#read?.preview.report.used ?? 0;
    switch (request.type) {
      case 'rows':
        await this.#show(request.start);
        break;
      case 'random':
        await this.#show(randomPage(this.#start, used, Math.random()));
        break;
      case 'refresh':
        await this.#refresh();
        break;
      case 'openConfig':
        await this.#openFile(this.#configFile, 1);
        break;
      case 'openRow':
        await this.#openFile(request.file, request.line);
        break;
    }
  }

  async #refresh(): Promise<void> {
    this.#read = undefined;
    await this.#show(this.#start);
  }

  /** Shows the page with a row, and reads it first if it has not been read. */
  async #show(start: number): Promise<void> {
    const known = this.#read;
    const isKnown = known !== undefined && start >= known.start && start < known.start + ROWS_READ;
    const read = isKnown ? known : await this.#load(readStart(start));
    if (read === undefined) return;
    const { report, padding, examples } = read.preview;
    this.#start = pageStart(start, report.used);
    // There are fewer rows than there were: the page is now an earlier one.
    if (this.#start < read.start) return this.#show(this.#start);
    const offset = this.#start - read.start;
    this.#tell({
      type: 'rows',
      configFile: this.#configFile,
      name: path.basename(this.#configFile),
      start: this.#start,
      report,
      padding,
      examples: examples.slice(offset, offset + PAGE_ROWS),
    });
  }

  /** @returns undefined when it failed, which the page is told, or when another reading began */
  async #load(start: number): Promise<RowsRead | undefined> {
    this.#reading?.cancel();
    const reading = new vscode.CancellationTokenSource();
    this.#reading = reading;
    this.#tell({ type: 'reading' });
    const params = { configFile: this.#configFile, rows: ROWS_READ, skip: start };
    try {
      const preview = await this.#context.server.ask(previewData, params, reading.token);
      if (reading.token.isCancellationRequested) return undefined;
      this.#read = { start, preview };
      return this.#read;
    } catch (error) {
      if (!reading.token.isCancellationRequested) this.#fail(error);
      return undefined;
    } finally {
      reading.dispose();
    }
  }

  #fail(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    this.#context.log.error(message);
    this.#tell({ type: 'failed', message, problems: failureOf(error)?.problems ?? [] });
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
