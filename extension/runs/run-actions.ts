import path from 'node:path';
import * as vscode from 'vscode';
import {
  controlRun,
  getRunMetrics,
  type RunSummary,
  resumeRun,
  startRun,
} from '../../server/protocol/runs.ts';
import type { RunAction } from '../../server/trainer/trainer-protocol.ts';
import { chooseFiles } from '../config-editor/browse.ts';
import { openConfig } from '../config-editor/show-place.ts';
import { ADAPTER_COMMANDS } from '../models/adapter-commands.ts';
import { type FailedTask, reportFailure } from '../report-failure.ts';
import { confirm, showInformation, showProgress, showWarning } from '../show/notifications.ts';
import { reveal } from '../show/reveal.ts';
import { chooseWhenBusy } from './choose-when-busy.ts';
import { tellGone } from './gone-runs.ts';
import type { RunKeeper } from './run-keeper.ts';
import { outcomeOf, type RunList } from './run-list.ts';
import type { CheckpointTask } from './run-panel-messages.ts';
import type { RunsContext } from './runs-context.ts';

/**
 * What people do with runs. Whatever goes wrong is told in a notification and in the log, with the
 * way out; nothing here throws.
 */
export class RunActions {
  readonly #context: RunsContext;
  readonly #keeper: RunKeeper;
  /**
   * What is being started, by its configuration file or run folder: whoever clicks twice means it
   * once.
   */
  readonly #underWay = new Map<string, Promise<RunSummary | undefined>>();

  /** Runs that were told to end. */
  readonly #ended = new Set<string>();

  constructor(context: RunsContext, keeper: RunKeeper) {
    this.#context = context;
    this.#keeper = keeper;
  }

  /**
   * Starts a run from a configuration file, as it is on disk.
   *
   * @returns undefined when it was refused or the user thought better of it
   */
  start(configFile: vscode.Uri): Promise<RunSummary | undefined> {
    return this.#attemptOnce(
      configFile.fsPath,
      async () => {
        const whenBusy = await this.#whenBusy();
        if (whenBusy === undefined) return undefined;
        const { server, store } = this.#context;
        const run = await showProgress({ title: vscode.l10n.t('Starting the run…') }, () =>
          server.ask(startRun, { configFile: configFile.fsPath, whenBusy }),
        );
        store.add(run);
        return run;
      },
      { configFile },
    );
  }

  /**
   * Goes on with a run that ended.
   *
   * @param checkpoint folder of the checkpoint, or `latest`: the newest that can be used, or the start
   * @param baseModel where the base model is, if it is not where it was
   * @returns undefined when it was refused or the user thought better of it
   */
  resume(folder: string, checkpoint: string, baseModel?: string): Promise<RunSummary | undefined> {
    const locateModel = async (): Promise<void> => {
      const workspaceFolder = vscode.workspace.getWorkspaceFolder(vscode.Uri.file(folder));
      const near = workspaceFolder?.uri.fsPath ?? path.dirname(folder);
      const title = vscode.l10n.t('Where is the base model of {0} now?', path.basename(folder));
      const [chosen] = (await chooseFiles('model', near, title)) ?? [];
      if (chosen !== undefined) await this.resume(folder, checkpoint, chosen.fsPath);
    };
    return this.#attemptOnce(
      folder,
      async () => {
        const whenBusy = await this.#whenBusy();
        if (whenBusy === undefined) return undefined;
        const { server, store } = this.#context;
        const run = await showProgress({ title: vscode.l10n.t('Resuming the run…') }, () =>
          server.ask(resumeRun, { folder, checkpoint, whenBusy, baseModel }),
        );
        store.add(run);
        return run;
      },
      { locateModel },
    );
  }

  /** Steers a live run. Asks before work is thrown away. */
  async control(folder: string, action: RunAction): Promise<void> {
    if (action === 'cancel' && !(await this.#confirmDiscard(folder))) return;
    if (action === 'stop' || action === 'cancel') this.#ended.add(folder);
    else this.#ended.delete(folder);
    await this.#attempt(() => this.#context.server.ask(controlRun, { folder, action }));
  }

  /** Whether a run has ended because the user wanted it to, in this window. */
  hasEnded(run: RunSummary): boolean {
    const { state } = outcomeOf(run);
    return this.#ended.delete(run.folder) && (state === 'stopped' || state === 'cancelled');
  }

  /** Does with a checkpoint what a button of the run panel says. */
  async useCheckpoint(task: CheckpointTask, run: string, checkpoint: string): Promise<void> {
    switch (task) {
      case 'resume':
        await this.resume(run, checkpoint);
        break;
      case 'reveal':
        await reveal(checkpoint);
        break;
      case 'finish':
      case 'further': {
        const summary = this.#context.store.find(run);
        if (summary !== undefined) await this.#keeper[task](summary, checkpoint);
        break;
      }
      default:
        await vscode.commands.executeCommand(ADAPTER_COMMANDS[task], checkpoint);
    }
  }

  /** Shows the file that a run was started with, or its folder in the explorer. */
  async openFiles(folder: string, what: 'configFile' | 'folder'): Promise<void> {
    if (what === 'folder') {
      await reveal(folder);
      return;
    }
    // Without it, what the run really uses: its resolved configuration.
    const file = this.#context.store.find(folder)?.configFile ?? path.join(folder, 'run.json');
    await this.#attempt(() => openConfig(vscode.Uri.file(file)));
  }

  /** Writes what was measured in a run into a file that the user chooses. */
  async exportMetrics({ folder, name }: RunSummary): Promise<void> {
    const found = await this.#attempt(() => this.#context.server.ask(getRunMetrics, { folder }));
    if (found === undefined) return;
    const { csv, problem } = found;
    await this.exportText(csv, `${name}.csv`, problem && path.join(folder, problem));
  }

  /**
   * Writes a text into a file that the user chooses, and says where it is.
   *
   * @param problem what is not in it, as a sentence; null if nothing
   */
  async exportText(text: string, name: string, problem: string | null = null): Promise<void> {
    const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
    const target = await vscode.window.showSaveDialog({
      ...(folder !== undefined && { defaultUri: vscode.Uri.joinPath(folder, name) }),
      filters: { CSV: ['csv'] },
    });
    if (target === undefined) return;
    await this.#attempt(async () => {
      await vscode.workspace.fs.writeFile(target, new TextEncoder().encode(text));
      const written = vscode.l10n.t('{0} was written.', target.fsPath);
      const [show, message] =
        problem === null
          ? [showInformation, written]
          : [showWarning, vscode.l10n.t('{0} Not all is in it: {1}', written, problem)];
      await show(
        message,
        { title: vscode.l10n.t('Reveal'), run: () => reveal(target.fsPath) },
        {
          title: vscode.l10n.t('Open'),
          run: () => vscode.commands.executeCommand('vscode.open', target),
        },
      );
    });
  }

  /** Reads the runs on disk; undefined when that failed. */
  load(): Promise<RunList | undefined> {
    return this.#attempt(() => this.#context.store.load());
  }

  /** Those of some runs that are still there, as they are now; the user is told of the others. */
  async present(folders: readonly string[]): Promise<RunList> {
    const { store } = this.#context;
    const found = await this.#attempt(() =>
      Promise.all(folders.map(async (folder) => ({ folder, run: await store.look(folder) }))),
    );
    if (found === undefined) return [];
    tellGone(found.flatMap(({ folder, run }) => (run === undefined ? [folder] : [])));
    return found.flatMap(({ run }) => run ?? []);
  }

  #whenBusy(): Promise<'queue' | 'parallel' | undefined> {
    return chooseWhenBusy(this.#context.store.runs.filter(({ isLive }) => isLive));
  }

  #confirmDiscard(folder: string): Promise<boolean> {
    const isAllLost = this.#context.store.find(folder)?.checkpoints.length === 0;
    return confirm(
      vscode.l10n.t('End the run {0} without saving?', path.basename(folder)),
      vscode.l10n.t('Discard'),
      isAllLost
        ? vscode.l10n.t('It has no checkpoint yet: all that it has learned is dropped.')
        : vscode.l10n.t('What was done since its last checkpoint is dropped.'),
    );
  }

  #attemptOnce(
    key: string,
    action: () => Promise<RunSummary | undefined>,
    about: FailedTask,
  ): Promise<RunSummary | undefined> {
    const known = this.#underWay.get(key);
    if (known !== undefined) return known;
    const made = this.#attempt(action, about).finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, made);
    return made;
  }

  async #attempt<T>(action: () => PromiseLike<T>, about: FailedTask = {}): Promise<T | undefined> {
    try {
      return await action();
    } catch (error) {
      reportFailure(error, this.#context.log, about);
      return undefined;
    }
  }
}
