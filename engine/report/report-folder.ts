import { lstat } from 'node:fs/promises';
import path from 'node:path';
import { ensureFolder, notWritable } from '../files.ts';
import { isBelow } from '../is-below.ts';
import { NotAPlainFile } from '../plain-file.ts';
import type { TrackedRun } from './tracker.ts';

/** The folder in that of a run for its reports, unless its configuration names another. */
export const REPORTS_FOLDER = 'runs';

/**
 * Makes a folder in that of the reports, and those above it. What is in a folder of reports may be
 * anybody's: a link there is not followed. The folder itself may be one, unless it is in the folder of
 * the run.
 *
 * @returns its path
 * @throws LorafaError `output.not_writable`
 */
export async function reportFolder(
  { config }: TrackedRun,
  ...names: readonly string[]
): Promise<string> {
  const { output_dir: runFolder } = config.training;
  const loggingDir = config.training.logging_dir ?? path.join(runFolder, REPORTS_FOLDER);
  const trusted = isBelow(runFolder, loggingDir) ? runFolder : loggingDir;
  const target = path.join(loggingDir, ...names);
  await ensureFolder(trusted);
  let folder = trusted;
  for (const name of path.relative(trusted, target).split(path.sep)) {
    folder = path.join(folder, name);
    await ensureFolder(folder);
    const found = await lstat(folder);
    if (!found.isDirectory()) throw notWritable(folder, new NotAPlainFile(found));
  }
  return target;
}

/** A name that can be one of a file everywhere. */
export function fileName(name: string): string {
  return name.replace(/[^\w.-]|^\./g, '_').slice(0, 100);
}
