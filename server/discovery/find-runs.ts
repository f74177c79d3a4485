import path from 'node:path';
import { readConfig } from '../../engine/config/parse.ts';
import type { RunRegistry } from '../runs/run-registry.ts';
import { walk } from './walk.ts';

/** How deep below a workspace folder configurations are looked for. */
const CONFIG_DEPTH = 5;

/**
 * The folders in which runs of a workspace may be: those that were started from one of its
 * configurations or write into it, and those that its configurations name.
 */
export async function findRunFolders(
  workspaceFolders: readonly string[],
  registry: RunRegistry,
): Promise<readonly string[]> {
  const isInside = (file: string): boolean =>
    workspaceFolders.some((folder) => !path.relative(folder, file).startsWith('..'));
  const registered = await registry.list();
  const found = new Set(
    registered
      .filter(({ folder, configFile }) => isInside(folder) || isInside(configFile ?? folder))
      .map(({ folder }) => folder),
  );
  for (const workspaceFolder of workspaceFolders) {
    const isWanted = (name: string): boolean => name.endsWith('.lorafa.json');
    for await (const { folder, files } of walk(workspaceFolder, {
      depth: CONFIG_DEPTH,
      isWanted,
    })) {
      for (const name of files) {
        const output = await outputFolder(path.join(folder, name));
        if (output !== undefined) found.add(output);
      }
    }
  }
  return [...found];
}

/** Where the runs of a configuration go; undefined while it has mistakes. */
async function outputFolder(configFile: string): Promise<string | undefined> {
  try {
    return (await readConfig(configFile)).training.output_dir;
  } catch {
    return undefined;
  }
}
