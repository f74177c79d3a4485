import path from 'node:path';
import { countRows } from '../data/count-rows.ts';
import { parseDataPath } from '../data/data-path.ts';
import { LorafaError } from '../errors.ts';
import type { Snapshot } from '../hub/snapshot.ts';
import type { InputUse } from './hub-source.ts';

/**
 * What the engine opens of a snapshot: the folder of a model or adapter, the file of a GGUF, or files
 * of data.
 *
 * @param slice the rows that are wanted of all data files together
 * @throws LorafaError `config.invalid_value` for rows that cannot be
 */
export async function localPaths(
  { folder, files }: Snapshot,
  use: InputUse,
  slice: string,
): Promise<readonly string[]> {
  const places = files.map((file) => path.join(folder, ...file.split('/')));
  if (use === 'adapter') return [folder];
  if (use === 'model') return files.includes('config.json') ? [folder] : places;
  return slicedFiles(places, slice);
}

/**
 * The rows of a slice that counts through several files.
 *
 * @throws LorafaError `config.invalid_value`, `data.empty` where there are none
 */
export async function slicedFiles(
  files: readonly string[],
  slice: string,
): Promise<readonly string[]> {
  const { start, end } = parseDataPath(slice);
  const [only, ...others] = files;
  if (others.length === 0) return [`${only}${slice}`];
  if (slice === '') return files;
  const parts: string[] = [];
  let before = 0;
  for (const file of files) {
    if (before >= end) break;
    const { rows } = await countRows(file);
    const from = Math.max(0, start - before);
    const to = Math.min(rows, end - before);
    if (from < to) parts.push(`${file}[${from}:${to}]`);
    before += rows;
  }
  if (parts.length > 0) return parts;
  throw new LorafaError('data.empty', `There is not a single row in ${slice} of ${before} rows.`);
}
