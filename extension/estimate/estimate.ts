import path from 'node:path';
import * as vscode from 'vscode';
import { estimateProgress, estimateRun } from '../../server/protocol.ts';
import type { Reports } from '../reports/reports.ts';
import type { ServerLink } from '../server-link.ts';
import { type ProgressNews, showProgress } from '../show/notifications.ts';
import { estimateMarkdown } from './estimate-markdown.ts';
import { estimateTexts } from './estimate-texts.ts';

/** Tells what a run would take, from all of its data, before it is started. */
export class Estimates {
  readonly #server: ServerLink;
  readonly #reports: Reports;
  /** Where the progress of a configuration's estimate is shown. */
  readonly #shown = new Map<string, ProgressNews>();

  constructor(server: ServerLink, reports: Reports) {
    this.#server = server;
    this.#reports = reports;
    server.listen(estimateProgress, ({ configFile, task, done, total }) => {
      const percent = total === 0 ? '' : ` ${Math.round((100 * done) / total)}%`;
      this.#shown.get(configFile)?.report(`${task}${percent}`);
    });
  }

  /**
   * Estimates a configuration, as it is on disk, and shows the result as a document.
   *
   * @throws the server's error answer
   */
  async show(file: vscode.Uri): Promise<void> {
    const configFile = file.fsPath;
    const name = path.basename(configFile);
    const options = {
      title: vscode.l10n.t('Estimating {0}', name),
      cancellable: true,
    };
    const estimate = await showProgress(options, async (report, token) => {
      this.#shown.set(configFile, report);
      try {
        return await this.#server.ask(estimateRun, { configFile }, token);
      } catch (error) {
        if (token.isCancellationRequested) return undefined;
        throw error;
      } finally {
        this.#shown.delete(configFile);
      }
    });
    if (estimate === undefined) return;
    await this.#reports.show(
      vscode.l10n.t('Estimate of {0}', name),
      estimateMarkdown(name, estimate, estimateTexts()),
    );
  }
}
