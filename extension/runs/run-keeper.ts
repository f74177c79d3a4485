import path from 'node:path';
import * as vscode from 'vscode';
import { formatBytes } from '../../server/format.ts';
import {
  MAX_NOTE_LENGTH,
  MAX_TAG_LENGTH,
  MAX_TAGS,
  type RunNotesChange,
} from '../../server/protocol/run-notes-schema.ts';
import {
  annotateRun,
  deleteRun,
  finishRun,
  measureRun,
  type RunFootprint,
  type RunSummary,
  renameRun,
} from '../../server/protocol/runs.ts';
import type { RequestMessage } from '../../server/rpc/message.ts';
import { askFolderName } from '../ask-folder-name.ts';
import { reportFailure } from '../report-failure.ts';
import { failureOf } from '../server-link.ts';
import { confirm, showInformation, showProgress } from '../show/notifications.ts';
import { askForText } from '../show/quick-input.ts';
import { confirmForGood, moveToTrash } from '../trash.ts';
import { chooseResult } from './choose-run.ts';
import { duplicateConfiguration } from './duplicate-configuration.ts';
import type { RunList } from './run-list.ts';
import type { RunsContext } from './runs-context.ts';
import { trainFurther } from './train-further.ts';

/** So many names are listed in a question. */
const NAMES = 10;

/**
 * What people do with runs to keep them in order. Whatever goes wrong is told in a notification and
 * in the log; nothing here throws.
 */
export class RunKeeper {
  readonly #context: RunsContext;

  constructor(context: RunsContext) {
    this.#context = context;
  }

  /**
   * Deletes runs that have ended, when the user has seen what goes, and how much it takes: to the trash, or for
   * good where that cannot be and the user agrees.
   */
  delete(runs: RunList): Promise<void> {
    return this.#attempt(async () => {
      const { store } = this.#context;
      const ended = runs.filter(({ isLive }) => !isLive);
      if (ended.length === 0) {
        const names = runs.slice(0, NAMES).map(({ name }) => name);
        await showInformation(
          vscode.l10n.t('What goes on cannot be deleted, stop it first: {0}.', names.join(', ')),
        );
        return;
      }
      const measured = await Promise.all(ended.map((run) => this.#measured(run)));
      const doomed = measured.filter((run) => run !== undefined);
      if (doomed.length === 0 || !(await confirmDeletion(doomed))) return;
      const untrashed: UntrashedRun[] = [];
      await removing(doomed, async (run) => {
        // It may have been resumed while the question stood.
        const now = await this.#measured(run);
        if (now === undefined) return;
        try {
          await moveToTrash(now.footprint.paths);
        } catch (error) {
          untrashed.push({ ...now, error });
          return;
        }
        await store.look(run.folder);
      });
      if (untrashed.length === 0 || !(await confirmRunsForGood(untrashed))) return;
      await removing(untrashed, async (run) => {
        if ((await this.#tryWith(run, deleteRun)) !== undefined) store.remove(run.folder);
      });
    });
  }

  /**
   * Gives the folder of a run another name.
   *
   * @param onRenamed called with the run as it is then, before anyone hears of it
   */
  rename(run: RunSummary, onRenamed: (renamed: RunSummary) => void): Promise<void> {
    return this.#attempt(async () => {
      const { server, store, moves, renamed: names } = this.#context;
      const prompt = vscode.l10n.t('The run’s folder gets this name');
      const name = await askFolderName(run.folder, prompt);
      if (name === undefined) return;
      const renamed = await server.ask(renameRun, { folder: run.folder, name });
      onRenamed(renamed);
      store.add(renamed);
      store.remove(run.folder);
      const move = { from: run.folder, to: renamed.folder };
      moves.fire(move);
      await names.add(move);
    });
  }

  /** Lets the user write a note about a run. */
  editNote(run: RunSummary): Promise<void> {
    return this.#attempt(async () => {
      const text = await askForText({
        title: vscode.l10n.t('Note about {0}', run.name),
        prompt: vscode.l10n.t('What is to be remembered of this run'),
        value: run.notes.text,
        problemOf: (given) =>
          given.length > MAX_NOTE_LENGTH
            ? vscode.l10n.t('A note has at most {0} characters.', MAX_NOTE_LENGTH)
            : undefined,
      });
      if (text !== undefined) await this.#annotate(run, { text: text.trim() });
    });
  }

  /** Lets the user give tags to runs: those of the first stand there to begin with. */
  editTags(runs: RunList): Promise<void> {
    return this.#attempt(async () => {
      const [first] = runs;
      if (first === undefined) return;
      const text = await askForText({
        title:
          runs.length === 1
            ? vscode.l10n.t('Tags of {0}', first.name)
            : vscode.l10n.t('Tags of {0} runs', runs.length),
        prompt: vscode.l10n.t('Words with commas between them; the filter finds them as #word'),
        value: first.notes.tags.join(', '),
        problemOf: (given) => problemOfTags(tagsOf(given)),
      });
      if (text === undefined) return;
      for (const run of runs) await this.#annotate(run, { tags: tagsOf(text) });
    });
  }

  /**
   * Makes a checkpoint the result of a run.
   *
   * @param checkpoint its folder; `ask` lets the user choose
   */
  finish(run: RunSummary, checkpoint: string): Promise<void> {
    return this.#attempt(async () => {
      const { server, store } = this.#context;
      const chosen = checkpoint === 'ask' ? await chooseResult(run) : checkpoint;
      if (chosen === undefined) return;
      const hasResult = run.adapter === run.folder;
      const step = path.basename(chosen);
      const question = vscode.l10n.t('Replace the result of {0} with {1}?', run.name, step);
      const { resultStep, step: last } = run.status;
      const detail = vscode.l10n.t(
        'The adapter of step {0}, in {1}, becomes that of {2}. All checkpoints stay.',
        resultStep ?? last,
        run.folder,
        step,
      );
      if (hasResult && !(await confirm(question, vscode.l10n.t('Replace'), detail))) return;
      const title = vscode.l10n.t('Finishing {0}…', run.name);
      const finished = await showProgress({ title }, () =>
        server.ask(finishRun, { folder: run.folder, checkpoint: chosen }),
      );
      store.add(finished);
    });
  }

  /** Copies the configuration that a run was started with, and opens the copy. */
  duplicate(run: RunSummary): Promise<void> {
    return this.#withConfiguration(run, (file) => duplicateConfiguration(file));
  }

  /** Makes a configuration that begins with what a run has learned, by its result or a checkpoint. */
  further(run: RunSummary, adapter: string): Promise<void> {
    return this.#withConfiguration(run, (file) =>
      trainFurther(this.#context.server, { file, name: run.name, adapter }),
    );
  }

  #withConfiguration(
    { configFile, name }: RunSummary,
    action: (file: vscode.Uri) => Promise<unknown>,
  ): Promise<void> {
    return this.#attempt(async () => {
      if (configFile !== null) return void (await action(vscode.Uri.file(configFile)));
      const message = vscode.l10n.t(
        'It is not known with which configuration {0} was started; its run panel shows what it used.',
        name,
      );
      await showInformation(message);
    });
  }

  async #annotate({ folder }: RunSummary, notes: RunNotesChange): Promise<void> {
    const { server, store } = this.#context;
    store.add(await server.ask(annotateRun, { folder, notes }));
  }

  /** A run with what would go with it; undefined where that is refused, which is told, or where it is gone. */
  async #measured(run: RunSummary): Promise<DoomedRun | undefined> {
    const footprint = await this.#tryWith(run, measureRun);
    return footprint && { ...run, footprint };
  }

  /**
   * Asks for something with one of several runs. Whatever is wrong with it is told and keeps nothing from being done
   * with the others; one that is gone is what a run shall be that is deleted.
   */
  async #tryWith<Answer>(
    { folder }: RunSummary,
    request: RequestMessage<{ readonly folder: string }, Answer>,
  ): Promise<Answer | undefined> {
    const { server, store, log } = this.#context;
    try {
      return await server.ask(request, { folder });
    } catch (error) {
      if (failureOf(error)?.code === 'output.not_found') store.remove(folder);
      else reportFailure(error, log);
      return undefined;
    }
  }

  async #attempt(action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      reportFailure(error, this.#context.log);
    }
  }
}

/** A run that is to be deleted, and what goes with it. */
interface DoomedRun extends RunSummary {
  readonly footprint: RunFootprint;
}

/** A run that could not be moved to the trash. */
interface UntrashedRun extends DoomedRun {
  readonly error: unknown;
}

/** Removes runs one after the other, and shows which one. */
function removing<Run extends DoomedRun>(
  runs: readonly Run[],
  remove: (run: Run) => Promise<void>,
): Thenable<void> {
  return showProgress({ title: vscode.l10n.t('Deleting runs…') }, async ({ report }) => {
    for (const run of runs) {
      report(run.name);
      await remove(run);
    }
  });
}

function confirmDeletion(runs: readonly DoomedRun[]): Promise<boolean> {
  const [first] = runs;
  const others = runs.flatMap(({ footprint }) => footprint.others);
  const detail = [
    ...namesOf(runs),
    vscode.l10n.t(
      'Result, journal and checkpoints ({0}), {1} in all, go to the trash; where there is none, you are asked again.',
      sumOf(runs, 'checkpoints'),
      formatBytes(sumOf(runs, 'bytes')),
    ),
    vscode.l10n.t('What was tried with them in the playground cannot be reached there any more.'),
    ...(others.length > 0
      ? [vscode.l10n.t('What is not the run’s stays: {0}.', others.slice(0, NAMES).join(', '))]
      : []),
  ];
  const question =
    runs.length === 1
      ? vscode.l10n.t('Delete the run {0} in {1}?', first!.name, first!.folder)
      : vscode.l10n.t('Delete {0} runs?', runs.length);
  return confirm(question, vscode.l10n.t('Delete'), detail);
}

/** Asks once about all runs that could not be moved to the trash. */
function confirmRunsForGood(runs: readonly UntrashedRun[]): Promise<boolean> {
  const [first] = runs;
  const question =
    runs.length === 1
      ? vscode.l10n.t('Delete the run {0} for good?', first!.name)
      : vscode.l10n.t('Delete {0} runs for good?', runs.length);
  return confirmForGood(question, sumOf(runs, 'bytes'), first!.error, namesOf(runs));
}

/** A line with the names of several runs, the first of many; none for one, which the question names. */
function namesOf(runs: readonly DoomedRun[]): readonly string[] {
  if (runs.length === 1) return [];
  const names = runs.slice(0, NAMES).map(({ name }) => name);
  const more = runs.length - names.length;
  return [`${[...names, ...(more > 0 ? [`+${more}`] : [])].join(', ')}.`];
}

function sumOf(runs: readonly DoomedRun[], key: 'bytes' | 'checkpoints'): number {
  return runs.reduce((total, { footprint }) => total + footprint[key], 0);
}

function tagsOf(text: string): readonly string[] {
  const tags = text.split(',').map((tag) => tag.trim().replace(/^#/, ''));
  return [...new Set(tags.filter((tag) => tag !== ''))];
}

function problemOfTags(tags: readonly string[]): string | undefined {
  if (tags.length > MAX_TAGS) return vscode.l10n.t('A run has at most {0} tags.', MAX_TAGS);
  return tags.some((tag) => tag.length > MAX_TAG_LENGTH)
    ? vscode.l10n.t('A tag has at most {0} characters.', MAX_TAG_LENGTH)
    : undefined;
}
