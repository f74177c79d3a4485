import * as vscode from 'vscode';
import type { ShownCudaPlan } from '../../server/cli/cuda-report.ts';
import { formatBytes } from '../../server/format.ts';
import { cudaProgress, planCuda, setUpCuda } from '../../server/protocol/machine.ts';
import type { ServerLink } from '../server-link.ts';
import {
  confirm,
  type ProgressNews,
  showInformation,
  showProgress,
} from '../show/notifications.ts';

/** Finds or fetches what CUDA needs. */
export class CudaSetup {
  readonly #server: ServerLink;
  readonly #onDone: () => unknown;
  #news: ProgressNews | undefined;

  /** @param onDone called when CUDA was set up and works */
  constructor(server: ServerLink, onDone: () => unknown) {
    this.#server = server;
    this.#onDone = onDone;
    server.listen(cudaProgress, ({ text }) => this.#news?.report(text));
  }

  /**
   * Shows what is there and what would be fetched, and does it when the user agrees.
   *
   * @throws the server's error answer
   */
  async run(): Promise<void> {
    if (this.#news !== undefined) {
      throw new Error(vscode.l10n.t('CUDA is being set up already.'));
    }
    const looking = vscode.l10n.t('Looking for what CUDA needs…');
    const plan = await showProgress({ title: looking }, () => this.#server.ask(planCuda, {}));
    // Without a driver no GPU computes, however much is fetched.
    if (plan.driverProblem !== null) throw new Error(plan.driverProblem);
    if (!plan.isReady && !(await isAgreed(plan))) return;
    const options = { title: vscode.l10n.t('Setting up CUDA'), cancellable: true };
    const folder = await showProgress(options, (news, token) => this.#setUp(news, token));
    if (folder === undefined) return;
    this.#onDone();
    await showInformation(
      vscode.l10n.t(
        'CUDA is set up: cuda:0 computes what it should. Its libraries are in {0}.',
        folder,
      ),
    );
  }

  /** @returns the folder, or undefined when it was cancelled */
  async #setUp(news: ProgressNews, token: vscode.CancellationToken): Promise<string | undefined> {
    this.#news = news;
    try {
      return (await this.#server.ask(setUpCuda, {}, token)).folder;
    } catch (error) {
      if (token.isCancellationRequested) return undefined;
      throw error;
    } finally {
      this.#news = undefined;
    }
  }
}

function isAgreed({
  found,
  wheels,
  downloadBytes,
  diskBytes,
  folder,
  notes,
}: ShownCudaPlan): Promise<boolean> {
  const missing = wheels.filter(({ isHere }) => !isHere);
  const action =
    downloadBytes === 0
      ? vscode.l10n.t('Set Up')
      : vscode.l10n.t('Fetch {0}', formatBytes(downloadBytes));
  return confirm(vscode.l10n.t('Set up CUDA?'), action, [
    ...(found.length === 0
      ? []
      : [vscode.l10n.t('Found: {0}.', found.map(({ library }) => library).join(', '))]),
    ...(missing.length === 0
      ? []
      : [
          vscode.l10n.t(
            "Python's pip fetches {0}, from where it is configured to fetch. Nothing is installed; on disk it takes {1} in {2}.",
            missing
              .map(({ name, version, bytes }) => `${name} ${version} (${formatBytes(bytes)})`)
              .join(', '),
            formatBytes(diskBytes),
            folder,
          ),
        ]),
    ...notes,
  ]);
}
