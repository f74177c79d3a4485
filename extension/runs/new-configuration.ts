import * as vscode from 'vscode';
import { openConfig } from '../config-editor/show-place.ts';
import { type ChosenData, type ChosenModel, nameInFile } from '../hub/chosen-input.ts';
import { reportFailure } from '../report-failure.ts';
import { showInformation } from '../show/notifications.ts';
import { BACK, type StepPlace } from '../show/quick-steps.ts';
import { tick } from '../walkthrough/tick.ts';
import type { Learned } from './column-rows.ts';
import { type ConfigNotes, configTemplate } from './config-template.ts';
import {
  type Answer,
  chooseColumns,
  chooseData,
  chooseModel,
  chooseName,
  configFileName,
  type LearnedData,
} from './configuration-steps.ts';
import type { RunsContext } from './runs-context.ts';

/** What is known already of a configuration that is to be made. */
export interface GivenParts {
  readonly model?: ChosenModel | undefined;
  readonly data?: ChosenData | undefined;
}

/** Everything that is asked for. */
interface Parts {
  readonly model: ChosenModel;
  readonly data: ChosenData;
  readonly columns: LearnedData;
  readonly name: string;
}

/** Asks for model, data, columns and a name, and opens a commented configuration file of them. */
export async function createConfiguration(
  context: RunsContext,
  given: GivenParts = {},
): Promise<void> {
  const folder = folderOf(given.data);
  if (folder === undefined) {
    await showInformation(vscode.l10n.t('Open a folder first: a run lives beside its data.'), {
      title: vscode.l10n.t('Open Folder…'),
      run: () => vscode.commands.executeCommand('vscode.openFolder'),
    });
    return;
  }
  try {
    const parts = await askForParts(context, folder, given);
    if (parts === undefined) return;
    const { model, data, columns, name } = parts;
    await model.bring?.();
    const { learned, rows } = columns;
    const { kind: _, ...columnKeys } = learned;
    const file = vscode.Uri.joinPath(folder, configFileName(name));
    const text = configTemplate({
      name,
      model: nameInFile(folder, model.input),
      nf4: model.nf4,
      data: nameInFile(folder, data),
      columns: columnKeys,
      rows,
      notes: notes(name, learned),
    });
    if (!(await createFile(file, new TextEncoder().encode(text)))) {
      throw new Error(
        vscode.l10n.t(
          '{0} could not be made; is there such a file meanwhile, or can nothing be written there?',
          vscode.workspace.asRelativePath(file),
        ),
      );
    }
    tick('own');
    await openConfig(file);
  } catch (error) {
    reportFailure(error, context.log);
  }
}

/** Makes a file where there is none: what another window has made since the question stays. */
async function createFile(file: vscode.Uri, contents: Uint8Array): Promise<boolean> {
  const edit = new vscode.WorkspaceEdit();
  edit.createFile(file, { contents });
  return vscode.workspace.applyEdit(edit);
}

/** Asks for one part after the other; Back goes to the one before. */
async function askForParts(
  context: RunsContext,
  folder: vscode.Uri,
  given: GivenParts,
): Promise<Parts | undefined> {
  const parts: { -readonly [Part in keyof Parts]?: Parts[Part] | undefined } = { ...given };
  const questions = {
    model: (place) => chooseModel(context, folder, place),
    data: (place) => chooseData(context, folder, place),
    columns: (place) => chooseColumns(context, parts.data!, place),
    name: (place) => chooseName(folder, parts.data!, place),
  } satisfies { [Part in keyof Parts]: (place: StepPlace) => Promise<Answer<Parts[Part]>> };
  const steps = (Object.keys(questions) as (keyof Parts)[]).filter(
    (part) => parts[part] === undefined,
  );
  for (let index = 0; index < steps.length; ) {
    const part = steps[index]!;
    const answer = await questions[part]({ step: index + 1, steps: steps.length });
    if (answer === undefined) return undefined;
    if (answer !== BACK) Object.assign(parts, { [part]: answer });
    index += answer === BACK ? -1 : 1;
  }
  return parts as Parts;
}

/** The workspace folder that the data lie in, or the first one. */
function folderOf(data: ChosenData | undefined): vscode.Uri | undefined {
  const ofData =
    data !== undefined && 'path' in data
      ? vscode.workspace.getWorkspaceFolder(vscode.Uri.file(data.path))
      : undefined;
  return (ofData ?? vscode.workspace.workspaceFolders?.[0])?.uri;
}

function notes(name: string, learned: Learned): ConfigNotes {
  return {
    heading: vscode.l10n.t('{0}: a fine-tuning run with LoRA-FA.', name),
    model: vscode.l10n.t(
      'The model to fine-tune: a Hugging Face folder, a .gguf file, or a name on the Hub.',
    ),
    nf4: vscode.l10n.t(
      'Its frozen weights in 4 bits: as they are stored they do not fit into memory.',
    ),
    data: vscode.l10n.t('Rows with text, prompt and completion, or messages.'),
    columns:
      learned.kind === 'prompt_completion'
        ? vscode.l10n.t('What is only read, and what is learned.')
        : vscode.l10n.t('What is learned.'),
    evalSplit: vscode.l10n.t('This share of the rows is never trained on, but measured.'),
    lora: vscode.l10n.t('LoRA-FA trains half of what LoRA trains, so it can afford a larger rank.'),
    output: vscode.l10n.t('Checkpoints and the finished adapter.'),
    epochs: vscode.l10n.t('Passes over the data.'),
    batch: vscode.l10n.t('Rows at a time, and how many times before each step: memory, and speed.'),
    rate: vscode.l10n.t('Lower it when the loss jumps.'),
  };
}
