import { lstat } from 'node:fs/promises';
import path from 'node:path';
import type { ResolvedConfig } from '../config/schema.ts';
import { ensureFolder } from '../files/folders.ts';
import { notWritable } from '../files/not-writable.ts';
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
  const loggingDir = loggingFolder(config);
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

/** The folder that a run is reported in. */
export function loggingFolder({ training }: ResolvedConfig): string {
  return training.logging_dir ?? path.join(training.output_dir, REPORTS_FOLDER);
}

/** The name of the folder of a run, for people and without doubt. */
export function reportName({ name, id }: Pick<TrackedRun, 'name' | 'id'>): string {
  return `${fileName(name)}-${shortId(id)}`;
}

/**
 * Whose something in a folder of reports is: all of it that of the run; `shared`, a folder in which some may be
 * the run's; or `scaffold`, which is nobody's as soon as there is nothing else.
 */
export type ReportPart = 'of the run' | 'shared' | 'scaffold' | 'other';

/**
 * @param names the way to it from the folder of reports
 * @param id that of the run; undefined if it was never reported
 */
export function reportPart(names: readonly string[], id: string | undefined): ReportPart {
  if (id === undefined) return 'other';
  const place = names.join('/');
  if (/^(mlruns(\/0)?|wandb)$/.test(place)) return 'shared';
  if (place === 'mlruns/0/meta.yaml') return 'scaffold';
  const isOwn =
    place === `mlruns/0/${id}` ||
    (place.endsWith(`-${shortId(id)}`) && /^(wandb\/offline-run-)?[^/]+$/.test(place));
  return isOwn ? 'of the run' : 'other';
}

/** Enough to tell runs of one name apart. */
export function shortId(id: string): string {
  return id.slice(0, 8);
}

/** A name that can be one of a file everywhere. */
function fileName(name: string): string {
  return name.replace(/[^\w.-]|^\./g, '_').slice(0, 100);
}
