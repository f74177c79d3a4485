import path from 'node:path';
import * as vscode from 'vscode';
import type { RunEstimate } from '../../engine/plan/estimate-run.ts';
import { estimateProgress, estimateRun, timeSteps } from '../../server/protocol/configurations.ts';
import { reportFailure } from '../report-failure.ts';
import type { Reports } from '../reports/reports.ts';
import type { ServerLink } from '../server-link.ts';
import { type ProgressNews, showInformation, showProgress } from '../show/notifications.ts';
import { estimateMarkdown, type TimeEstimate } from './estimate-markdown.ts';
import { estimateTexts } from './estimate-texts.ts';

/** Tells what a run would take, from all of its data, before it is started. */
export class Estimates {
  readonly #log: vscode.LogOutputChannel;
  readonly #server: ServerLink;
  readonly #reports: Reports;
  /** Where the progress of a configuration's estimate is shown. */
  readonly #shown = new Map<string, ProgressNews>();

  constructor(server: ServerLink, reports: Reports, log: vscode.LogOutputChannel) {
    this.#log = log;
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
    const title = vscode.l10n.t('Estimating {0}', name);
    const answer = await this.#cancellable(title, async (report, token) => {
      this.#shown.set(configFile, report);
      try {
        return await this.#server.ask(estimateRun, { configFile }, token);
      } finally {
        this.#shown.delete(configFile);
      }
    });
    if (answer === undefined) return;
    const { estimate, earlier } = answer;
    const source = earlier && vscode.l10n.t('as fast as the run {0}', earlier.run);
    await this.#report(name, estimate, earlier && { ...earlier, source: source! });
    if (earlier !== null) return;
    void showInformation(vscode.l10n.t('How long {0} would train is not known yet.', name), {
      title: vscode.l10n.t('Time a Few Steps'),
      run: () =>
        this.#measure(configFile, name, estimate).catch((error: unknown) =>
          reportFailure(error, this.#log),
        ),
    });
  }

  /** Times some steps in a process of its own, and completes the report. */
  async #measure(configFile: string, name: string, estimate: RunEstimate): Promise<void> {
    const title = vscode.l10n.t('Timing a few steps of {0}: half a minute at most', name);
    const speed = await this.#cancellable(title, (_, token) =>
      this.#server.ask(timeSteps, { configFile }, token),
    );
    if (speed === undefined) return;
    const source = vscode.l10n.t('measured here with {0} steps', speed.steps);
    await this.#report(name, estimate, { ...speed, source });
  }

  async #report(
    name: string,
    estimate: RunEstimate,
    speed: Omit<TimeEstimate, 'seconds'> | null,
  ): Promise<void> {
    const time = speed && { ...speed, seconds: trainingSeconds(estimate, speed.tokensPerSecond) };
    await this.#reports.show(
      vscode.l10n.t('Estimate of {0}', name),
      estimateMarkdown(name, estimate, time ?? undefined, estimateTexts()),
    );
  }

  /** @returns undefined when the user cancelled it */
  #cancellable<T>(
    title: string,
    task: (report: ProgressNews, token: vscode.CancellationToken) => Promise<T>,
  ): Thenable<T | undefined> {
    return showProgress({ title, cancellable: true }, async (report, token) => {
      try {
        return await task(report, token);
      } catch (error) {
        if (token.isCancellationRequested) return undefined;
        throw error;
      }
    });
  }
}

/** Seconds that the steps of a run take. */
function trainingSeconds(
  { train, steps, stepsPerEpoch }: RunEstimate,
  tokensPerSecond: number,
): number {
  return (train.tokens * (steps / stepsPerEpoch)) / tokensPerSecond;
}
