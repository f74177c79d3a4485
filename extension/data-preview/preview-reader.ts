import { randomUUID } from 'node:crypto';
import * as vscode from 'vscode';
import {
  closePreview,
  getPreviewRows,
  type PreviewPage,
  type PreviewState,
  previewNews,
  readPreview,
  searchPreview,
} from '../../server/protocol/data.ts';
import type { ServerLink } from '../server-link.ts';

/** Hands the news of the server to the preview that they are about. */
export class PreviewNews {
  readonly #handlers = new Map<string, (state: PreviewState) => void>();

  constructor(server: ServerLink) {
    server.listen(previewNews, ({ id, state }) => this.#handlers.get(id)?.(state));
  }

  /** @returns ends it */
  listen(id: string, handler: (state: PreviewState) => void): vscode.Disposable {
    this.#handlers.set(id, handler);
    return new vscode.Disposable(() => this.#handlers.delete(id));
  }
}

/** One reading of the data of a configuration, in a process of the server's. */
export class PreviewReader implements vscode.Disposable {
  readonly #server: ServerLink;
  readonly #id = randomUUID();
  readonly #reading = new vscode.CancellationTokenSource();
  readonly #news: vscode.Disposable;
  /** How far it is, as it was last told. */
  state: PreviewState | undefined;
  #isCancelled = false;

  constructor(server: ServerLink, news: PreviewNews, onNews: (state: PreviewState) => void) {
    this.#server = server;
    this.#news = news.listen(this.#id, (state) => {
      this.state = state;
      onNews(state);
    });
  }

  /** Whether the user ended the reading. */
  get isCancelled(): boolean {
    return this.#isCancelled;
  }

  /** How many rows there are to be looked at: those that are used, or that were found. */
  get rows(): number {
    return this.state?.search?.found ?? this.state?.report.used ?? 0;
  }

  /** Resolves when all is read or the reading was cancelled. Throws the server's error answer. */
  async read(configFile: string): Promise<void> {
    try {
      await this.#server.ask(readPreview, { id: this.#id, configFile }, this.#reading.token);
    } catch (error) {
      if (!this.#isCancelled) throw error;
      // Its process did not end the reading by itself, and was ended.
      if (this.state !== undefined) this.state = { ...this.state, isReading: false };
    }
  }

  cancel(): void {
    this.#isCancelled = true;
    this.#reading.cancel();
  }

  page(start: number, count: number): Promise<PreviewPage> {
    return this.#server.ask(getPreviewRows, { id: this.#id, start, count });
  }

  async search(text: string): Promise<void> {
    await this.#server.ask(searchPreview, { id: this.#id, text });
  }

  /** Ends the process, whatever it does. */
  dispose(): void {
    this.#news.dispose();
    this.#isCancelled = true;
    this.#reading.cancel();
    this.#reading.dispose();
    // A server that cannot answer has no such process either.
    this.#server.ask(closePreview, { id: this.#id }).catch(() => undefined);
  }
}
