import { nearestName } from '../config/nearest-name.ts';
import { LorafaError } from '../errors.ts';
import type { Row } from './row.ts';
import { RowError } from './row-error.ts';

/** @throws LorafaError `data.missing_column`, with the columns that exist, when `name` is none of them. */
export function requireColumn(name: string, row: Row): string {
  if (Object.hasOwn(row.value, name)) return name;
  const columns = Object.keys(row.value);
  const near = nearestName(name, columns);
  const advice = near === undefined ? 'name one of these' : `did you mean "${near}"`;
  throw new LorafaError(
    'data.missing_column',
    `${row.file}:${row.line} has no column "${name}"; its columns are ${listColumns(row)}: ${advice}${near === undefined ? '.' : '?'}`,
    { location: { file: row.file, line: row.line } },
  );
}

/** A key of section `data` that names a column. */
export type ColumnKey = 'text_column' | 'prompt_column' | 'completion_column' | 'messages_column';

/** The column that a key names, and the one that is meant where it names none. */
export interface WantedColumn {
  readonly key: ColumnKey;
  readonly named: string | undefined;
  readonly fallback: string;
}

/**
 * The columns that some keys stand for.
 *
 * @throws LorafaError `data.missing_column`, which names every key that has to be set or corrected
 */
export function requireColumns(wanted: readonly WantedColumn[], row: Row): readonly string[] {
  const names = wanted.map(({ named, fallback }) => named ?? fallback);
  const missing = wanted.filter((_, index) => !Object.hasOwn(row.value, names[index]!));
  if (missing.length === 0) return names;
  const [only] = missing;
  if (missing.length === 1 && only!.named !== undefined) requireColumn(only!.named, row);
  const keys = missing.map(({ key }) => `data.${key}`);
  const absent = missing.map(({ named, fallback }) => `"${named ?? fallback}"`);
  throw new LorafaError(
    'data.missing_column',
    `${row.file}:${row.line} has no column ${absent.join(' and no column ')}; its columns are ${listColumns(row)}: set ${keys.join(' and ')}.`,
    { location: { file: row.file, line: row.line } },
  );
}

/** The columns of a row for a sentence, cut where there are too many to read. */
export function listColumns(row: Row): string {
  const names = Object.keys(row.value).map((name) => `"${name}"`);
  if (names.length === 0) return 'none';
  return names.length > 20 ? `${names.slice(0, 20).join(', ')}, …` : names.join(', ');
}

/** The text in a column; numbers and booleans are written out. @throws RowError for anything else. */
export function textOf(row: Row, column: string): string {
  const value = row.value[column];
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
    case 'bigint':
    case 'boolean':
      return String(value);
    default:
      throw new RowError(`the column "${column}" ${describe(value)}`);
  }
}

function describe(value: unknown): string {
  if (value === undefined) return 'is missing';
  if (value === null) return 'is null, not text';
  return `holds ${Array.isArray(value) ? 'a list' : 'an object'}, not text`;
}
