import { homedir } from 'node:os';
import path from 'node:path';
import { type PathProblem, setValue } from './path-problem.ts';
import type { ResolvedConfig } from './schema.ts';

/**
 * What is wrong with the place of the output folder: the root of a disk and a person's home folder
 * hold other things, and a run is never among them.
 *
 * @param file the configuration file, after which the folder is named that is proposed instead
 */
export function outputProblem(
  { training: { output_dir: folder } }: ResolvedConfig,
  file: string,
): PathProblem | undefined {
  const what =
    path.parse(folder).root === folder
      ? 'the root of a disk'
      : // Windows knows a folder by any case of its letters, which `relative` honours.
        path.relative(homedir(), folder) === ''
        ? 'your home folder'
        : undefined;
  if (what === undefined) return undefined;
  const at = ['training', 'output_dir'];
  const own = `runs/${path.basename(file).replace(/(\.lorafa)?\.jsonc?$/, '')}`;
  return {
    path: at,
    part: 'value',
    code: 'config.invalid_value',
    message: `\`training.output_dir\` is ${what} (${folder}), and a run needs a folder of its own, such as "${own}"`,
    remedies: [setValue(at, own)],
  };
}
