import path from 'node:path';
import { readConfig } from '../../engine/config/parse.ts';
import { isBelow } from '../../engine/is-below.ts';
import { isCheckpointName } from '../../engine/train/checkpoint-folders.ts';
import { RUN_FILES } from '../../engine/train/run-files.ts';
import type { RunRegistry } from '../trainer/run-registry.ts';
import { walk } from '../walk.ts';

/** How deep below a workspace folder configurations and runs are looked for. */
const DEPTH = 5;

/**
 * The folders in which runs of a workspace may be: those that were started from one of its
 * configurations or write into it, those that its configurations name, and those that lie in it
 * because someone moved or copied them there.
 */
export async function findRunFolders(
  workspaceFolders: readonly string[],
  registry: RunRegistry,
): Promise<readonly string[]> {
  const isInside = (file: string): boolean =>
    workspaceFolders.some((folder) => isBelow(folder, file));
  const registered = await registry.list();
  const found = new Set(
    registered
      .filter(({ folder, configFile }) => isInside(folder) || isInside(configFile ?? folder))
      .map(({ folder }) => folder),
  );
  const options = { depth: DEPTH, isWanted, isEntered: (name: string) => !isCheckpointName(name) };
  for (const workspaceFolder of workspaceFolders) {
    for await (const { folder, files } of walk(workspaceFolder, options)) {
      if (isRun(files)) found.add(folder);
      for (const name of files.filter(isConfig)) {
        const output = await outputFolder(path.join(folder, name));
        if (output !== undefined) found.add(output);
      }
    }
  }
  return [...found];
}

function isConfig(name: string): boolean {
  return name.endsWith('.lorafa.json');
}

function isWanted(name: string): boolean {
  return isConfig(name) || name === RUN_FILES.config || name === RUN_FILES.journal;
}

/** Other programs have a `run.json` too; beside a journal it is ours. */
function isRun(files: readonly string[]): boolean {
  return files.includes(RUN_FILES.config) && files.includes(RUN_FILES.journal);
}

/** Where the runs of a configuration go; undefined while it has mistakes. */
async function outputFolder(configFile: string): Promise<string | undefined> {
  try {
    return (await readConfig(configFile)).training.output_dir;
  } catch {
    return undefined;
  }
}
