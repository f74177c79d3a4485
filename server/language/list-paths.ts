import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { isTemplateFile, resolvePath } from '../../engine/config/resolve-paths.ts';
import { isDataFile } from '../../engine/data/data-format.ts';
import { isGgufModel } from '../../engine/gguf/split-name.ts';
import { ADAPTER_CONFIG_FILE } from '../../engine/lora/adapter.ts';

/** What a path is for. */
export type PathKind = 'model' | 'data' | 'template' | 'adapter';

/** A path that can be given, or a folder on the way to one. */
export interface ListedPath {
  /** As it is written: relative where the typed text is; with a `/` behind a folder on the way. */
  readonly text: string;
  readonly isFolder: boolean;
}

/** A folder with one of these files is what is looked for. */
const MARKS: Readonly<Record<PathKind, string | undefined>> = {
  model: 'config.json',
  data: undefined,
  template: undefined,
  adapter: ADAPTER_CONFIG_FILE,
};

/** Folders that hold nothing to train with. */
const SKIPPED = new Set(['node_modules', '__pycache__']);

/**
 * What lies in the folder that the typed text leads to, and suits.
 *
 * @param folder where relative paths start
 * @param typed the text up to the cursor, e.g. `../models/smo`
 */
export async function listPaths(
  folder: string,
  typed: string,
  kind: PathKind,
): Promise<readonly ListedPath[]> {
  const written = typed.slice(0, typed.lastIndexOf('/') + 1);
  const place = written === '' ? folder : resolvePath(written, folder);
  const entries = await readdir(place, { withFileTypes: true }).catch(() => []);
  const listed = await Promise.all(
    entries
      .filter(({ name }) => !name.startsWith('.') && !SKIPPED.has(name))
      .map(async ({ name }): Promise<readonly ListedPath[]> => {
        const location = path.join(place, name);
        const text = written + name;
        if (!(await isDirectory(location))) {
          return isWantedFile(name, kind) ? [{ text, isFolder: false }] : [];
        }
        const way = { text: `${text}/`, isFolder: true };
        const mark = MARKS[kind];
        const isWanted = mark !== undefined && (await exists(path.join(location, mark)));
        return isWanted ? [{ text, isFolder: true }, way] : [way];
      }),
  );
  return listed.flat();
}

function isWantedFile(name: string, kind: PathKind): boolean {
  switch (kind) {
    case 'data':
      return isDataFile(name) && !name.endsWith('.lorafa.json');
    case 'template':
      return isTemplateFile(name);
    case 'model':
      return isGgufModel(name);
    case 'adapter':
      return false;
  }
}

/** Links count as what they lead to. */
async function isDirectory(location: string): Promise<boolean> {
  return stat(location).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}
