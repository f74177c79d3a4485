import path from 'node:path';
import { withoutCompression } from '../data/compression.ts';
import { isDataFile } from '../data/data-format.ts';
import { cardConfigs, type DataConfig } from '../hub/data-card.ts';
import { HubError } from '../hub/hub-error.ts';
import {
  type ChooseFiles,
  listNames,
  noFiles,
  type RepositoryView,
} from '../hub/repository-view.ts';

/** What rows are for, which decides the split where nobody names one. */
export type DataUse = 'training' | 'evaluation';

/** Splits by what they are for, the likeliest first. */
export const USUAL_SPLITS: Readonly<Record<DataUse, readonly string[]>> = {
  training: ['train'],
  evaluation: ['validation', 'test'],
};

/**
 * The words in names of files and folders by which the library `datasets` tells splits apart.
 * Source: `SPLIT_KEYWORDS` of datasets/data_files.py.
 */
const SPLIT_WORDS: Readonly<Record<string, readonly string[]>> = {
  train: ['train', 'training'],
  validation: ['validation', 'valid', 'dev', 'val'],
  test: ['test', 'testing', 'eval', 'evaluation'],
};

/** Formats in which data may lie several times; the first one that is there is taken. */
const FORMATS = ['parquet', 'arrow', 'jsonl', 'json', 'csv', 'tsv', 'txt'];

/** How the Hub names the files of its own edition of a data set: configuration, split and number. */
const CONVERTED = /^(?<config>[^/]+)\/(?:partial-)?(?<split>[^/]+)\/\d{4,}\.parquet$/;

/** The revision of a data set in which the Hub has its rows as Parquet, whatever they are in otherwise. */
export const PARQUET_REVISION = 'refs/convert/parquet';

/** A data set has no rows in a format that is read, though perhaps in {@link PARQUET_REVISION}. */
export class NoReadableRows extends HubError {}

/** Files of a readable format that hold no rows. */
const NO_ROWS =
  /(^|\/)(\.|README|LICENSE|requirements\.txt|dataset_infos?\.json|dataset_dict\.json|state\.json|config\.json|metadata\.json)/i;

/**
 * The files of a data set, by its card or by their names, in the order of their rows.
 *
 * @param part a file, a split (`test`), a configuration (`main`) or both (`main/test`)
 * @throws HubError `hub.no_files`
 */
export function dataFiles(part: string | undefined, use: DataUse): ChooseFiles {
  return async (view) => {
    const { files } = view;
    if (part !== undefined && files.includes(part)) {
      if (isDataFile(part)) return [part];
      throw noFiles(view, `has ${part}, which is in a format that is not read`);
    }
    if (!files.some(hasRows)) {
      throw new NoReadableRows(
        'hub.no_files',
        `The data set ${view.name} has no rows in a format that is read, and the hub has made no Parquet edition of it; look for another one.`,
      );
    }
    const configs =
      convertedConfigs(files) ?? cardConfigs(view.configs, files) ?? namedConfigs(files);
    const all = configs.flatMap(({ name, splits }) =>
      [...splits].map(([split, found]) => ({ config: name, split, files: found })),
    );
    const found = part === undefined ? usual(view, configs, use) : named(view, configs, part, use);
    const readable = found.filter(isDataFile);
    if (readable.length > 0) return readable.toSorted((a, b) => a.localeCompare(b, 'en'));
    throw noFiles(
      view,
      all.length === 0 || found.length > 0
        ? `has no rows in a format that is read; try the edition that the hub makes of it, ${view.repository.name}@${PARQUET_REVISION}`
        : `has nothing for ${use}; it has ${listNames(all.map(({ split }) => split))}`,
    );
  };
}

/** What is taken where a person names the data set alone. */
function usual(
  view: RepositoryView,
  configs: readonly DataConfig[],
  use: DataUse,
): readonly string[] {
  const chosen = configs.find(({ isDefault }) => isDefault) ?? configs[0];
  if (chosen === undefined) return [];
  if (configs.length > 1 && !configs.some(({ isDefault }) => isDefault)) {
    const names = configs.map(({ name }) => name);
    throw noFiles(
      view,
      `has several configurations; say which one, e.g. ${view.name}:${names[0]} (there are ${listNames(names)})`,
    );
  }
  return splitFor(view, chosen, use);
}

function named(
  view: RepositoryView,
  configs: readonly DataConfig[],
  part: string,
  use: DataUse,
): readonly string[] {
  for (const config of configs) {
    if (part === config.name) return splitFor(view, config, use);
    for (const [split, files] of config.splits) {
      if (part === `${config.name}/${split}`) return files;
    }
  }
  const inOne = configs.filter(({ splits }) => splits.has(part));
  if (inOne.length === 1 || inOne.some(({ isDefault }) => isDefault)) {
    return (inOne.find(({ isDefault }) => isDefault) ?? inOne[0]!).splits.get(part)!;
  }
  const inFolder = folderFiles(view, part, use);
  if (inFolder !== undefined) return inFolder;
  const names = configs.flatMap(({ name, splits }) =>
    [...splits.keys()].map((split) => (configs.length > 1 ? `${name}/${split}` : split)),
  );
  throw noFiles(view, `has no ${part}; there are ${listNames([...names, ...view.files])}`);
}

/** The files below a folder, or those of a split of it. */
function folderFiles(
  view: RepositoryView,
  part: string,
  use: DataUse,
): readonly string[] | undefined {
  const below = (folder: string) =>
    namedConfigs(view.files.filter((file) => file.startsWith(`${folder}/`)))[0];
  const whole = below(part);
  if (whole !== undefined) return splitFor(view, whole, use);
  const slash = part.lastIndexOf('/');
  return below(part.slice(0, Math.max(0, slash)))?.splits.get(part.slice(slash + 1));
}

function splitFor(
  view: RepositoryView,
  config: DataConfig | undefined,
  use: DataUse,
): readonly string[] {
  if (config === undefined) return [];
  const { splits } = config;
  const usualName = USUAL_SPLITS[use].find((split) => splits.has(split));
  if (usualName !== undefined) return splits.get(usualName)!;
  const [only, ...others] = [...splits];
  if (use === 'training' && only !== undefined && others.length === 0) return only[1];
  const names = [...splits.keys()];
  throw noFiles(
    view,
    use === 'training'
      ? `has no split for training; say which one you mean, e.g. ${view.name}:${names[0]} (there are ${listNames(names)})`
      : `has no split that was held out (there is ${listNames(names)}); use data.eval_split to hold back a part of the training data`,
  );
}

/** Whether the name of a file says that it holds rows that can be read. */
export function hasRows(file: string): boolean {
  return isDataFile(file) && !NO_ROWS.test(file);
}

/** The format of a data file, whether it is compressed or not: `jsonl`. */
export function kindOf(file: string): string {
  return path.extname(withoutCompression(file)).slice(1).toLowerCase();
}

/** The configurations of the Hub's own edition; undefined where the files are none. */
function convertedConfigs(files: readonly string[]): readonly DataConfig[] | undefined {
  const rows = files.filter(hasRows);
  const configs = new Map<string, Map<string, string[]>>();
  for (const file of rows) {
    const { config, split } = CONVERTED.exec(file)?.groups ?? {};
    if (config === undefined || split === undefined) return undefined;
    const splits = configs.get(config) ?? new Map<string, string[]>();
    configs.set(config, splits.set(split, [...(splits.get(split) ?? []), file]));
  }
  return [...configs].map(([name, splits]) => ({
    name,
    splits,
    isDefault: configs.size === 1 || name === 'default',
  }));
}

/** The splits of files by their names, as the library `datasets` finds them without a card. */
export function namedConfigs(files: readonly string[]): readonly DataConfig[] {
  const candidates = files.filter(hasRows);
  const format = FORMATS.find((each) => candidates.some((file) => kindOf(file) === each));
  const rows = candidates.filter((file) => kindOf(file) === format);
  if (rows.length === 0) return [];
  const splits = new Map<string, string[]>();
  for (const file of rows) {
    const split = Object.keys(SPLIT_WORDS).find((each) => hasWord(file, SPLIT_WORDS[each]!));
    if (split !== undefined) splits.set(split, [...(splits.get(split) ?? []), file]);
  }
  // Names that say nothing of splits are all one.
  return [
    {
      name: 'default',
      isDefault: true,
      splits: splits.size > 0 ? splits : new Map([['train', rows]]),
    },
  ];
}

function hasWord(file: string, words: readonly string[]): boolean {
  return words.some((word) => new RegExp(`(^|[-._ 0-9/])${word}($|[-._ 0-9/])`, 'i').test(file));
}
