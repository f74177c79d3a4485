import path from 'node:path';
import * as vscode from 'vscode';
import { sampleData } from '../../server/protocol/data.ts';
import { byName } from '../by-name.ts';
import { chooseFiles } from '../config-editor/browse.ts';
import { chooseFromData } from '../hub/choose-data.ts';
import { chooseFromModels } from '../hub/choose-model.ts';
import {
  type ChosenData,
  type ChosenModel,
  modelHere,
  pathInFile,
  shortName,
} from '../hub/chosen-input.ts';
import { CONFIG_FILE_PATTERN } from '../ids.ts';
import { reportFailure } from '../report-failure.ts';
import { BACK, pickStep, type StepPlace, textStep } from '../show/quick-steps.ts';
import { demoBaseIn } from '../walkthrough/open-demo.ts';
import { type Learned, learnedRows, promptRows } from './column-rows.ts';
import type { RunsContext } from './runs-context.ts';

/** What a step was answered: a value, to go back, or undefined for the end of all. */
export type Answer<Value> = Value | typeof BACK | undefined;

/** What is learned, and the number of rows that it is learned from. */
export interface LearnedData {
  readonly learned: Learned;
  readonly rows: number;
}

/** Kinds of files that rows of training data come in, of which text may be compressed. */
const TEXT_EXTENSIONS = ['jsonl', 'json', 'csv', 'tsv', 'txt'];
const DATA_EXTENSIONS = [...TEXT_EXTENSIONS, 'parquet', 'arrow'];
const COMPRESSIONS = ['gz', 'zst'];
/** Files that have such a name and are no data. */
const NO_DATA =
  '{**/node_modules/**,**/.*/**,**/*.lorafa.json,**/{package,package-lock,tsconfig,config,generation_config,tokenizer,tokenizer_config,special_tokens_map,vocab,adapter_config,run,state,trainer_state}.json,**/events.jsonl}';
const MAX_DATA_FILES = 200;

/** Asks for the base model. */
export function chooseModel(
  context: RunsContext,
  folder: vscode.Uri,
  place: StepPlace,
): Promise<Answer<ChosenModel>> {
  const demo = demoBaseIn(folder, context.extensionUri);
  return chooseFromModels(context, place, {
    title: vscode.l10n.t('New run configuration: base model'),
    placeHolder: vscode.l10n.t(
      'The language model to fine-tune; type a name to search Hugging Face',
    ),
    shownPath: (path) => pathInFile(folder, path),
    here: [
      {
        key: 'demo',
        icon: 'mortar-board',
        label: vscode.l10n.t('The base model of the demo'),
        description: vscode.l10n.t('2 MB, to try with; it is copied into this folder'),
        take: async () => ({ ...modelHere(demo), bring: demo.copy }),
      },
    ],
    elsewhere: [
      {
        key: 'open',
        icon: 'folder-opened',
        label: vscode.l10n.t('Look for a model folder or .gguf file…'),
        take: async () => {
          const title = vscode.l10n.t('Base model: a Hugging Face folder or a .gguf file');
          const opened = await chooseFiles('model', folder.fsPath, title);
          return opened?.[0] && modelHere({ path: opened[0].fsPath });
        },
      },
    ],
  });
}

/** Asks for the training data. */
export function chooseData(
  context: RunsContext,
  root: vscode.Uri,
  place: StepPlace,
): Promise<Answer<ChosenData>> {
  const packed = COMPRESSIONS.flatMap((compression) =>
    TEXT_EXTENSIONS.map((text) => `${text}.${compression}`),
  );
  const pattern = `**/*.{${[...DATA_EXTENSIONS, ...packed].join(',')}}`;
  const files = vscode.workspace.findFiles(pattern, NO_DATA, MAX_DATA_FILES);
  return chooseFromData(context, place, {
    title: vscode.l10n.t('New run configuration: training data'),
    placeHolder: vscode.l10n.t('The rows to learn from; type a name to search Hugging Face'),
    here: Promise.resolve(files).then((uris) => {
      const paths = uris.map(({ fsPath }) => fsPath);
      const row = (path: string, icon: string) => ({
        key: path,
        icon,
        label: vscode.workspace.asRelativePath(path),
        take: async () => ({ path }),
      });
      return [
        ...[...foldersOfParts(paths)].map(([folder, count]) => ({
          ...row(folder, 'folder'),
          description: vscode.l10n.t('{0} files', count),
        })),
        ...paths.map((file) => row(file, 'file')),
      ].toSorted((a, b) => byName(a.label, b.label));
    }),
    elsewhere: [
      {
        key: 'open',
        icon: 'folder-opened',
        label: vscode.l10n.t('Look for a data file…'),
        take: async () => {
          const opened = await vscode.window.showOpenDialog({
            canSelectFiles: true,
            title: vscode.l10n.t('Training data'),
            filters: { [vscode.l10n.t('Training data')]: [...DATA_EXTENSIONS, ...COMPRESSIONS] },
            openLabel: vscode.l10n.t('Use This Data'),
          });
          return opened?.[0] && { path: opened[0].fsPath };
        },
      },
      {
        key: 'folder',
        icon: 'folder-opened',
        label: vscode.l10n.t('Look for a folder of data files…'),
        take: async () => {
          const opened = await chooseFiles('folder', root.fsPath, vscode.l10n.t('Training data'));
          return opened?.[0] && { path: opened[0].fsPath };
        },
      },
    ],
  });
}

/** Folders of several files of one kind, as the parts of a set are, with how many they hold. */
function foldersOfParts(files: readonly string[]): ReadonlyMap<string, number> {
  const roots = vscode.workspace.workspaceFolders?.map(({ uri }) => uri.fsPath) ?? [];
  const folders = new Set(files.map((file) => path.dirname(file)));
  return new Map(
    [...folders].flatMap((folder) => {
      const parts = files.filter((file) => path.dirname(file) === folder);
      const endings = new Set(parts.map((file) => path.basename(file).replace(/^[^.]*/, '')));
      const isSet = parts.length > 1 && endings.size === 1 && !roots.includes(folder);
      return isSet ? [[folder, parts.length] as const] : [];
    }),
  );
}

/** Asks what is learned from a data file, with its columns and first rows in view. */
export async function chooseColumns(
  { server, log }: RunsContext,
  data: ChosenData,
  place: StepPlace,
): Promise<Answer<LearnedData>> {
  const reading =
    'path' in data ? server.ask(sampleData, { file: data.path }) : Promise.resolve(data.sample);
  const shown = 'path' in data ? path.basename(data.path) : data.hub;
  const title = vscode.l10n.t('New run configuration: columns of {0}', shown);
  try {
    for (;;) {
      const picked = await pickStep(place, {
        title,
        placeHolder: vscode.l10n.t(
          'What does the model learn to write? Each column is shown with its first values',
        ),
        rows: reading.then(learnedRows),
      });
      if (picked === undefined || picked === BACK) return picked;
      const sample = await reading;
      const { choice } = picked;
      if (choice.kind !== 'column') return { learned: choice, rows: sample.count };
      const prompt = await pickStep(
        { ...place, isContinued: true },
        {
          title,
          placeHolder: vscode.l10n.t('What is “{0}” the answer to?', choice.column),
          rows: promptRows(sample, choice.column),
        },
      );
      if (prompt === undefined) return undefined;
      if (prompt !== BACK && prompt.choice.kind !== 'column') {
        return { learned: prompt.choice, rows: sample.count };
      }
    }
  } catch (error) {
    reportFailure(error, log);
    return place.step > 1 ? BACK : undefined;
  }
}

/** Asks for the name of the run. */
export async function chooseName(
  folder: vscode.Uri,
  data: ChosenData,
  place: StepPlace,
): Promise<Answer<string>> {
  const taken = await vscode.workspace.fs
    .readDirectory(folder)
    .then((entries) => new Set(entries.map(([entry]) => entry)));
  return textStep(place, {
    title: vscode.l10n.t('New run configuration: name'),
    prompt: vscode.l10n.t('The file is called NAME.lorafa.json; results go to runs/NAME.'),
    value: freeName(shortName(data), taken),
    problemOf: (name) => {
      if (!NAME.test(name)) return vscode.l10n.t('Use letters, digits, spaces, dots, - and _.');
      if (taken.has(configFileName(name))) {
        return vscode.l10n.t('{0} exists already.', configFileName(name));
      }
      return undefined;
    },
  });
}

const NAME = /^[\p{L}\p{N}_][\p{L}\p{M}\p{N}_. -]*$/u;

/** The name of the configuration of a run. */
export function configFileName(name: string): string {
  return `${name}${CONFIG_FILE_PATTERN.slice(1)}`;
}

/** That of the data, as far as a run may be called so, and with a number where it is taken. */
function freeName(wish: string, taken: ReadonlySet<string>): string {
  const base = NAME.test(wish) ? wish : 'first-run';
  let name = base;
  for (let count = 2; taken.has(configFileName(name)); count += 1) name = `${base}-${count}`;
  return name;
}
