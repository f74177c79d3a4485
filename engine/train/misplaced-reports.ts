import path from 'node:path';
import type { ResolvedConfig } from '../config/schema.ts';
import { LorafaError } from '../errors.ts';
import { isBelow } from '../is-below.ts';
import { REPORTS_FOLDER } from '../report/report-folder.ts';
import { isCheckpointName } from './checkpoint-folders.ts';
import { RESULT_FILES } from './result-files.ts';
import { isUnfinished, RUN_FILES } from './run-files.ts';

const OWN_FILES: ReadonlySet<string> = new Set(
  [Object.values(RUN_FILES), RESULT_FILES.adapter, RESULT_FILES.model].flat(),
);

/**
 * What is wrong with the place of the reports: in the folder of the run they would lie where the run puts files
 * of its own, which then replace them, or are kept out by them once all steps are done.
 *
 * @returns `config.contradiction`; undefined if nothing is
 */
export function misplacedReports({ training }: ResolvedConfig): LorafaError | undefined {
  const { output_dir: folder, logging_dir: reports } = training;
  if (reports === undefined || !isBelow(folder, reports)) return undefined;
  const [name] = path.relative(folder, reports).split(path.sep);
  // Many file systems know one name in any case of its letters.
  if (!isOwnName(name!.toLowerCase())) return undefined;
  return new LorafaError(
    'config.contradiction',
    `training.logging_dir is ${reports}, and "${name}" in training.output_dir is a name that the run uses itself; choose another training.logging_dir, such as ${path.join(folder, REPORTS_FOLDER)}.`,
  );
}

function isOwnName(name: string): boolean {
  return OWN_FILES.has(name) || isCheckpointName(name) || isUnfinished(name);
}
