import { LorafaError } from '../errors.ts';

/** A data file and the rows of it that are wanted. */
export interface DataPath {
  readonly file: string;
  /** Index of the first wanted row, from 0. */
  readonly start: number;
  /** Index after the last wanted row; Infinity for all. */
  readonly end: number;
}

/**
 * Splits the row slice from a path: `train.jsonl[:1000]`, `[1000:1200]`, `[500:]`. Rows are counted
 * from 0 and include those that turn out bad, so that a slice always means the same rows.
 *
 * @throws LorafaError `config.invalid_value` for any other suffix in brackets.
 */
export function parseDataPath(path: string): DataPath {
  const [, file, slice] = /^(.*?)(?:\[([^[\]]*)\])?$/s.exec(path)!;
  if (slice === undefined) return { file: file!, start: 0, end: Infinity };
  const [, from, to] = /^\s*(\d*)\s*:\s*(\d*)\s*$/.exec(slice) ?? [];
  if (from === undefined || to === undefined) {
    throw invalid(path, 'the slice must look like [:1000], [1000:1200] or [500:]');
  }
  const [start, end] = [from === '' ? 0 : Number(from), to === '' ? Infinity : Number(to)];
  if (start >= end)
    throw invalid(path, 'the slice is empty, because it ends where it starts or before');
  return { file: file!, start, end };
}

/** A data path as people say it: `train.jsonl`, or `train.jsonl (rows 1 to 1000)`. */
export function describeDataPath(path: string): string {
  const { file, start, end } = parseDataPath(path);
  if (start === 0 && end === Infinity) return file;
  return `${file} (${end === Infinity ? `from row ${start + 1} on` : `rows ${start + 1} to ${end}`})`;
}

function invalid(path: string, reason: string): LorafaError {
  return new LorafaError('config.invalid_value', `Cannot read the data path "${path}": ${reason}.`);
}
