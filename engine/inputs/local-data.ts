import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { parseDataPath } from '../data/data-path.ts';
import { LorafaError, messageOf } from '../errors.ts';
import { globMatcher, isGlob } from '../glob.ts';
import type { DataUse } from './choose-data-files.ts';
import { hasRows, kindOf, namedConfigs, USUAL_SPLITS } from './choose-data-files.ts';
import { slicedFiles } from './local-paths.ts';

/** The files that a path of data stands for. */
export interface LocalData {
  /** In the order of their rows, each with the rows that are wanted of it. */
  readonly paths: readonly string[];
  /** A sentence about files that are beside them; undefined where there are none. */
  readonly skipped: string | undefined;
}

/** Entries of a folder, and of those in it, that are looked at. */
const MAX_ENTRIES = 20_000;

/** How many names a sentence lists. */
const SHOWN = 5;

/** Folders that hold nothing to train with. */
const NO_DATA = new Set(['node_modules', '__pycache__']);

/**
 * The data files of a path: itself, those in a folder, or those that a pattern with `*`, `?` and `**`
 * means, sorted by their names.
 *
 * @throws LorafaError `data.not_found` where there are none; `config.invalid_value` for a folder whose files are
 * of several kinds or splits
 */
export async function localData(name: string, use: DataUse): Promise<LocalData> {
  const { file } = parseDataPath(name);
  const slice = name.slice(file.length);
  const found = await stat(file).catch(() => undefined);
  if (found?.isDirectory() === true) return sliced(await folderData(file, use), slice);
  if (found === undefined && isGlob(file)) return sliced(await globData(file), slice);
  return { paths: [name], skipped: undefined };
}

async function sliced({ paths, skipped }: LocalData, slice: string): Promise<LocalData> {
  return { paths: await slicedFiles(paths, slice), skipped };
}

async function folderData(folder: string, use: DataUse): Promise<LocalData> {
  const all = await filesBelow(folder);
  const data = all.filter(hasRows);
  const kinds = [...new Set(data.map(kindOf))];
  if (kinds.length === 0) throw notFound(`there is no data file in the folder ${folder}`);
  if (kinds.length > 1) {
    throw ambiguous(
      `The folder ${folder} has data files of several kinds (${kinds.join(', ')}); name those that are meant, e.g. ${path.join(folder, `*.${kinds[0]}`)}.`,
    );
  }
  const { splits } = namedConfigs(data)[0]!;
  const split = USUAL_SPLITS[use].find((each) => splits.has(each));
  const [first, ...others] = splits.keys();
  if (split === undefined && others.length > 0) {
    throw ambiguous(
      `The folder ${folder} has the splits ${[first, ...others].join(', ')}, and none that is usual for ${use}; name the files that are meant.`,
    );
  }
  const chosen = new Set(splits.get(split ?? first!));
  return located(folder, all, (file) => chosen.has(file));
}

async function globData(pattern: string): Promise<LocalData> {
  const parts = pattern.replaceAll(path.sep, '/').split('/');
  const fixed = parts.findIndex(isGlob);
  const folder = parts.slice(0, fixed).join('/') || '/';
  const matches = globMatcher(parts.slice(fixed).join('/'));
  const matching = (await filesBelow(folder)).filter(matches);
  if (!matching.some(hasRows)) throw notFound(`no data file has a name like ${pattern}`);
  return located(folder, matching, hasRows);
}

function located(
  folder: string,
  all: readonly string[],
  isWanted: (file: string) => boolean,
): LocalData {
  const left = all.filter((file) => !isWanted(file));
  const names = [...left.slice(0, SHOWN), ...(left.length > SHOWN ? ['…'] : [])].join(', ');
  return {
    paths: all.filter(isWanted).map((file) => path.join(folder, ...file.split('/'))),
    skipped:
      left.length === 0
        ? undefined
        : `Of the files in ${folder}, ${left.length} ${left.length === 1 ? 'is' : 'are'} not read: ${names}.`,
  };
}

/** Files in a folder and in those in it, with `/` between the parts of their names, sorted. */
async function filesBelow(folder: string): Promise<readonly string[]> {
  const files: string[] = [];
  let entries = 0;
  const waiting = [''];
  for (let inside = waiting.pop(); inside !== undefined; inside = waiting.pop()) {
    for (const entry of await entriesOf(path.join(folder, inside))) {
      if (++entries > MAX_ENTRIES) {
        throw ambiguous(
          `There are more than ${MAX_ENTRIES} files below ${folder}; name a folder with fewer.`,
        );
      }
      const { name } = entry;
      if (name.startsWith('.') || NO_DATA.has(name)) continue;
      if (entry.isDirectory()) waiting.push(`${inside}${name}/`);
      else files.push(inside + name);
    }
  }
  return files.toSorted((a, b) => (a < b ? -1 : 1));
}

async function entriesOf(folder: string): Promise<readonly Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    throw notFound(`the folder ${folder} cannot be read (${messageOf(error)})`);
  }
}

function notFound(problem: string): LorafaError {
  return new LorafaError('data.not_found', `Cannot read the data: ${problem}; check the path.`);
}

function ambiguous(sentence: string): LorafaError {
  return new LorafaError('config.invalid_value', sentence);
}
