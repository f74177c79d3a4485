import path from 'node:path';
import * as vscode from 'vscode';
import { PANELS } from '../ids.ts';
import { openPanel } from '../show/panel.ts';
import { type DataPreviewContext, DataPreviewPanel } from './data-preview-panel.ts';
import { PreviewNews } from './preview-reader.ts';

/** Opens data previews, one for each configuration, and restores them after a reload. */
export class DataPreviews implements vscode.WebviewPanelSerializer {
  readonly #context: DataPreviewContext;
  readonly #open = new Map<string, DataPreviewPanel>();

  constructor(context: Omit<DataPreviewContext, 'news'>) {
    this.#context = { ...context, news: new PreviewNews(context.server) };
  }

  show(configFile: vscode.Uri): void {
    const known = this.#open.get(configFile.fsPath);
    if (known !== undefined) {
      known.reveal();
      return;
    }
    const title = vscode.l10n.t('Data: {0}', path.basename(configFile.fsPath));
    const panel = openPanel(PANELS.dataPreview, title, { enableFindWidget: true });
    this.#add(panel, configFile.fsPath);
  }

  async deserializeWebviewPanel(panel: vscode.WebviewPanel, state: unknown): Promise<void> {
    const configFile = configFileOf(state);
    if (configFile === undefined || this.#open.has(configFile)) panel.dispose();
    else this.#add(panel, configFile);
  }

  #add(panel: vscode.WebviewPanel, configFile: string): void {
    const made = new DataPreviewPanel(panel, configFile, this.#context);
    this.#open.set(configFile, made);
    made.onDidDispose(() => this.#open.delete(configFile));
  }
}

/** What the page stored is data from outside: it may come from another version of the page. */
function configFileOf(state: unknown): string | undefined {
  if (typeof state !== 'object' || state === null || !('configFile' in state)) return undefined;
  return typeof state.configFile === 'string' ? state.configFile : undefined;
}
