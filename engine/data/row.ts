import type { ErrorCode } from '../errors.ts';

/** Where a row stands, for people. */
export interface RowPlace {
  /** The file as it was named. */
  readonly file: string;
  /** Line in the file, from 1; in files without lines (`.parquet`, arrays in `.json`) the row, from 1. */
  readonly line: number;
}

/** One row of a data file. */
export interface Row extends RowPlace {
  readonly value: Readonly<Record<string, unknown>>;
  /** How much of its file lies before the row's end, 0 to 1. */
  readonly progress: number;
}

/** A row that cannot be read or used. */
export interface BadRow extends RowPlace {
  /** Why, to be read after "file:line: ". */
  readonly reason: string;
  /** The code of the error that refuses the run when there are too many. */
  readonly code: ErrorCode;
  readonly progress: number;
}

/** True for a row that could be read. */
export function isRow(row: Row | BadRow): row is Row {
  return 'value' in row;
}

/** A JSON value as a row, or the reason why it is none. */
export function rowOfJson(
  value: unknown,
  place: RowPlace & { readonly progress: number },
): Row | BadRow {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return { ...place, value: value as Readonly<Record<string, unknown>> };
  }
  const kind = Array.isArray(value) ? 'an array' : value === null ? 'null' : `a ${typeof value}`;
  return {
    ...place,
    reason: `the row is ${kind}, not an object with columns`,
    code: 'data.corrupt',
  };
}
