import path from 'node:path';
import * as vscode from 'vscode';
import { listModels } from '../../server/protocol.ts';
import { openConfig } from '../config-editor/show-place.ts';
import { CONFIG_FILE_PATTERN } from '../ids.ts';
import { reportFailure } from '../report-failure.ts';
import { showInformation } from '../show/notifications.ts';
import { askForText, type PickRow, pick } from '../show/quick-input.ts';
import { modelFolders } from '../views/views.ts';
import { configTemplate } from './config-template.ts';
import type { RunsContext } from './runs-context.ts';

/** Kinds of files that rows of training data come in. */
const DATA_EXTENSIONS = ['jsonl', 'json', 'csv', 'tsv', 'parquet', 'txt'];
/** Files that have such a name and are no data. */
const NO_DATA =
  '{**/node_modules/**,**/.*/**,**/*.lorafa.json,**/{package,package-lock,tsconfig,config,generation_config,tokenizer,tokenizer_config,special_tokens_map,vocab,adapter_config,run,state,trainer_state}.json,**/events.jsonl}';
const MAX_DATA_FILES = 200;

interface PathRow extends PickRow {
  /** Undefined: the user wants to look for it. */
  readonly path: string | undefined;
}

/**
 * Asks for model, data and a name, and opens a commented configuration file made of them.
 *
 * @param givenModel path of the base model where it is known already
 */
export async function createConfiguration(
  { server, log }: RunsContext,
  givenModel?: string,
): Promise<void> {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath;
  if (folder === undefined) {
    await showInformation(vscode.l10n.t('Open a folder first: a run lives beside its data.'), {
      title: vscode.l10n.t('Open Folder…'),
      run: () => vscode.commands.executeCommand('vscode.openFolder'),
    });
    return;
  }
  try {
    const model = givenModel ?? (await chooseModel(server, folder));
    if (model === undefined) return;
    const data = await chooseData();
    if (data === undefined) return;
    const name = await chooseName(folder);
    if (name === undefined) return;
    const file = vscode.Uri.file(path.join(folder, `${name}${CONFIG_FILE_PATTERN.slice(1)}`));
    const text = configTemplate({
      name,
      model: pathInFile(folder, model),
      data: pathInFile(folder, data),
      notes: notes(name),
    });
    await vscode.workspace.fs.writeFile(file, new TextEncoder().encode(text));
    await openConfig(file);
  } catch (error) {
    reportFailure(error, log);
  }
}

async function chooseModel(
  server: RunsContext['server'],
  folder: string,
): Promise<string | undefined> {
  const found = server.ask(listModels, { folders: modelFolders() }).then((models) => [
    ...models
      .filter(({ problem }) => problem === null)
      .map((model) => ({
        icon: 'database',
        label: model.name,
        description: pathInFile(folder, model.path),
        path: model.path,
      })),
    {
      icon: 'folder-opened',
      label: vscode.l10n.t('Look for a model folder or .gguf file…'),
      path: undefined,
    },
  ]);
  const picked = await pick<PathRow>(found, {
    title: vscode.l10n.t('New run configuration (1/3): base model'),
    placeHolder: vscode.l10n.t('The language model to fine-tune'),
    matchOnDescription: true,
    ignoreFocusOut: true,
  });
  if (picked === undefined || picked.path !== undefined) return picked?.path;
  const opened = await vscode.window.showOpenDialog({
    canSelectFiles: true,
    canSelectFolders: true,
    title: vscode.l10n.t('Base model: a Hugging Face folder or a .gguf file'),
    openLabel: vscode.l10n.t('Use This Model'),
  });
  return opened?.[0]?.fsPath;
}

async function chooseData(): Promise<string | undefined> {
  const pattern = `**/*.{${DATA_EXTENSIONS.join(',')}}`;
  const files = vscode.workspace.findFiles(pattern, NO_DATA, MAX_DATA_FILES).then((uris) => [
    ...uris
      .map((uri) => ({
        icon: 'file',
        label: vscode.workspace.asRelativePath(uri),
        path: uri.fsPath,
      }))
      .toSorted((a, b) => a.label.localeCompare(b.label)),
    { icon: 'folder-opened', label: vscode.l10n.t('Look for a data file…'), path: undefined },
  ]);
  const picked = await pick<PathRow>(Promise.resolve(files), {
    title: vscode.l10n.t('New run configuration (2/3): training data'),
    placeHolder: vscode.l10n.t('The rows to learn from'),
    ignoreFocusOut: true,
  });
  if (picked === undefined || picked.path !== undefined) return picked?.path;
  const opened = await vscode.window.showOpenDialog({
    canSelectFiles: true,
    title: vscode.l10n.t('Training data'),
    filters: { [vscode.l10n.t('Training data')]: DATA_EXTENSIONS },
    openLabel: vscode.l10n.t('Use This Data'),
  });
  return opened?.[0]?.fsPath;
}

async function chooseName(folder: string): Promise<string | undefined> {
  const taken = await vscode.workspace.fs
    .readDirectory(vscode.Uri.file(folder))
    .then((entries) => new Set(entries.map(([entry]) => entry)));
  const fileName = (name: string): string => `${name}${CONFIG_FILE_PATTERN.slice(1)}`;
  let suggestion = 'first-run';
  for (let count = 2; taken.has(fileName(suggestion)); count += 1) suggestion = `run-${count}`;
  return askForText({
    title: vscode.l10n.t('New run configuration (3/3): name'),
    prompt: vscode.l10n.t('The file is called NAME.lorafa.json; results go to runs/NAME.'),
    value: suggestion,
    problemOf: (name) => {
      if (!/^[\w][\w. -]*$/.test(name)) {
        return vscode.l10n.t('Use letters, digits, spaces, dots, - and _.');
      }
      if (taken.has(fileName(name))) return vscode.l10n.t('{0} exists already.', fileName(name));
      return undefined;
    },
  });
}

/** Paths inside the folder are written relative to it, so that the folder can be moved. */
function pathInFile(folder: string, target: string): string {
  const relative = path.relative(folder, target);
  const isInside = !relative.startsWith('..') && !path.isAbsolute(relative);
  return isInside ? relative.replaceAll('\\', '/') || '.' : target;
}

function notes(name: string) {
  return {
    heading: vscode.l10n.t('{0}: a fine-tuning run with LoRA-FA.', name),
    model: vscode.l10n.t('The model to fine-tune: a Hugging Face folder or a .gguf file.'),
    data: vscode.l10n.t('Rows with text, prompt and completion, or messages.'),
    evalSplit: vscode.l10n.t('This share of the rows is never trained on, but measured.'),
    lora: vscode.l10n.t('LoRA-FA trains half of what LoRA trains, so it can afford a larger rank.'),
    output: vscode.l10n.t('Checkpoints and the finished adapter.'),
    epochs: vscode.l10n.t('Passes over the data.'),
    batch: vscode.l10n.t('Rows at a time, and how many times before each step: memory, and speed.'),
    rate: vscode.l10n.t('Lower it when the loss jumps.'),
  };
}
