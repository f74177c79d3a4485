import path from 'node:path';
import * as vscode from 'vscode';
import { formatBytes } from '../../server/format.ts';
import { checkRun, type RunCheck, type StartWay } from '../../server/protocol/configurations.ts';
import { deleteRun, measureRun } from '../../server/protocol/runs.ts';
import { changeText } from '../config-editor/config-fixes.ts';
import { saveConfig } from '../config-editor/save-config.ts';
import { openConfig } from '../config-editor/show-place.ts';
import { COMMANDS } from '../ids.ts';
import { reportFailure } from '../report-failure.ts';
import { confirm, showError, showInformation, showQuietProgress } from '../show/notifications.ts';
import { pick } from '../show/quick-input.ts';
import type { RunActions } from './run-actions.ts';
import type { RunsContext } from './runs-context.ts';

type Occupied = NonNullable<RunCheck['occupied']>;

const ICONS: Readonly<Record<StartWay['step'], string>> = {
  start: 'play',
  resume: 'debug-restart',
  replace: 'trash',
};

/**
 * Starts runs from configurations: as they are on the screen, never with a mistake that is known,
 * and with a question where a run is in the way. Whatever goes wrong is told; nothing here throws.
 */
export class RunStarter {
  readonly #context: RunsContext;
  readonly #actions: RunActions;
  readonly #show: (folder: string, name: string) => void;
  /** Configurations that are being started: whoever clicks twice means it once. */
  readonly #underWay = new Set<string>();

  /** @param show shows the panel of a run */
  constructor(
    context: RunsContext,
    actions: RunActions,
    show: (folder: string, name: string) => void,
  ) {
    this.#context = context;
    this.#actions = actions;
    this.#show = show;
  }

  /** Starts a run from a configuration file and shows it. */
  start(file: vscode.Uri): Promise<void> {
    return this.#once(file, () => this.#start(file));
  }

  /** Deletes the run that is in the output folder of a configuration, and starts it there anew. */
  replace(file: vscode.Uri): Promise<void> {
    return this.#once(file, async () => {
      const occupied = (await this.#check(file))?.occupied;
      if (occupied !== null && occupied !== undefined && !(await this.#clear(occupied))) return;
      await this.#start(file);
    });
  }

  async #once(file: vscode.Uri, action: () => Promise<void>): Promise<void> {
    const key = String(file);
    if (this.#underWay.has(key)) return;
    this.#underWay.add(key);
    try {
      await action();
    } catch (error) {
      reportFailure(error, this.#context.log, { configFile: file });
    } finally {
      this.#underWay.delete(key);
    }
  }

  async #start(file: vscode.Uri): Promise<void> {
    const check = await this.#check(file);
    if (check === undefined) return;
    if (check.occupied !== null) return this.#ask(file, check.occupied);
    const run = await this.#actions.start(file);
    if (run !== undefined) this.#show(run.folder, run.name);
  }

  /** @returns undefined where the configuration is refused, which the user is told and shown */
  async #check(file: vscode.Uri): Promise<RunCheck | undefined> {
    if (!(await saveConfig(file))) return undefined;
    await this.#actions.load();
    const title = vscode.l10n.t('Checking {0}…', path.basename(file.fsPath));
    const check = await showQuietProgress(title, () =>
      this.#context.server.ask(checkRun, { configFile: file.fsPath }),
    );
    const [problem] = check.problems;
    if (problem === undefined) return check;
    const place = {
      path: problem.path,
      range: new vscode.Range(
        new vscode.Position(problem.start.line, problem.start.character),
        new vscode.Position(problem.end.line, problem.end.character),
      ),
    };
    await openConfig(file, place);
    const name = vscode.workspace.asRelativePath(file);
    const count = check.problems.length;
    void showError(
      count === 1
        ? vscode.l10n.t('{0} has an error and was not started: {1}', name, problem.message)
        : vscode.l10n.t(
            '{0} has {1} errors and was not started: {2}',
            name,
            count,
            problem.message,
          ),
      { title: vscode.l10n.t('Show Problem'), run: () => openConfig(file, place) },
    );
    return undefined;
  }

  /** What to do about the run that is in the way; each row works at once. */
  async #ask(file: vscode.Uri, { folder, ways }: Occupied): Promise<void> {
    const name = path.basename(folder);
    const open = {
      icon: 'graph-line',
      label: vscode.l10n.t('Open the run {0}', name),
      detail: vscode.l10n.t('Nothing is started.'),
      run: () => this.#show(folder, name),
    };
    const rows = ways.map((way) => ({
      icon: ICONS[way.step],
      label: way.title.replaceAll('`', ''),
      detail: way.detail,
      run: () => this.#go(file, folder, way.title),
    }));
    const picked = await pick([...rows, open], {
      title: vscode.l10n.t('{0} holds a run already', vscode.workspace.asRelativePath(folder)),
      placeHolder: vscode.l10n.t('What shall be done?'),
      matchOnDetail: true,
      ignoreFocusOut: true,
    });
    await picked?.run();
  }

  /**
   * Goes a way that was offered, by the configuration and the folder as they are now: while the
   * question stood there, both may have changed.
   */
  async #go(file: vscode.Uri, folder: string, title: string): Promise<void> {
    const check = await this.#check(file);
    if (check === undefined) return;
    const { occupied } = check;
    if (occupied === null) {
      const name = vscode.workspace.asRelativePath(folder);
      const message = vscode.l10n.t('{0} is not in the way any more; nothing was done.', name);
      return void showInformation(message, {
        title: vscode.l10n.t('Start Run'),
        run: () => this.start(file),
      });
    }
    const way = occupied.ways.find((each) => each.title === title);
    if (way === undefined || occupied.folder !== folder) return this.#ask(file, occupied);
    if (way.edit !== null) {
      await vscode.workspace.openTextDocument(file);
      if (!(await changeText(file, way.edit))) {
        const name = vscode.workspace.asRelativePath(file);
        return void showError(vscode.l10n.t('{0} could not be changed; is it read-only?', name));
      }
    }
    switch (way.step) {
      case 'start':
        return this.#start(file);
      case 'resume':
        await vscode.commands.executeCommand(COMMANDS.resumeFromCheckpoint, folder);
        return;
      case 'replace':
        if (await this.#clear(occupied)) await this.#start(file);
    }
  }

  /** Deletes a run when the user agrees; answers whether its folder is free then. */
  async #clear({ folder }: Occupied): Promise<boolean> {
    const { server } = this.#context;
    const name = path.basename(folder);
    const { bytes, checkpoints, others } = await server.ask(measureRun, { folder });
    if (others.length > 0) {
      void showError(
        vscode.l10n.t(
          '{0} holds other files too ({1}), which stay, so that no run can start there; start in a new folder.',
          vscode.workspace.asRelativePath(folder),
          others.slice(0, 3).join(', '),
        ),
      );
      return false;
    }
    const isAgreed = await confirm(
      vscode.l10n.t('Delete the run {0} and start anew in its place?', name),
      vscode.l10n.t('Delete and Start'),
      vscode.l10n.t(
        'Its result, its checkpoints ({0}), its curves and its log are deleted for good: {1}.',
        checkpoints,
        formatBytes(bytes),
      ),
    );
    if (isAgreed) await server.ask(deleteRun, { folder });
    return isAgreed;
  }
}
