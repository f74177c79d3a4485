import { existsSync } from 'node:fs';
import path from 'node:path';
import { isHubInput, mapInputPaths } from '../config/resolve-paths.ts';
import type { ResolvedConfig } from '../config/schema.ts';
import { isBelow } from '../is-below.ts';

/**
 * The stored configuration of a run, as it is to be read where the run folder lies now. Its paths
 * are absolute; of a folder that was moved or copied, perhaps with all around it to another
 * computer, those that lead nowhere any more are looked for where they would lie from there. Names on
 * the Hub are the same everywhere.
 *
 * @param folder the run folder
 */
export function whereItIsNow(config: ResolvedConfig, folder: string): ResolvedConfig {
  const { training } = config;
  const moved = mapInputPaths(config, (name) => {
    if (isHubInput(name) || exists(name)) return name;
    const beside = path.resolve(folder, path.relative(training.output_dir, name));
    return exists(beside) ? beside : name;
  });
  const { logging_dir: reports } = training;
  return {
    ...moved,
    training: {
      ...training,
      output_dir: folder,
      ...(reports !== undefined && {
        logging_dir: isBelow(training.output_dir, reports)
          ? path.resolve(folder, path.relative(training.output_dir, reports))
          : reports,
      }),
    },
  };
}

/** Whether a path leads anywhere; that of a data file may end in a slice, `rows.jsonl[:1000]`. */
function exists(name: string): boolean {
  return existsSync(name.replace(/\[[^\]]*\]$/, ''));
}
