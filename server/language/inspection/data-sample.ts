import { dataSection } from '../../../engine/config/data-section.ts';
import { guessMapping } from '../../../engine/data/guess-columns.ts';
import type { DataOptions } from '../../../engine/data/options.ts';
import type { BadRow, Row } from '../../../engine/data/row.ts';
import { recogniseShape } from '../../../engine/data/shapes.ts';
import { LorafaError } from '../../../engine/errors.ts';
import { shortened } from '../../../engine/quote.ts';
import type { DataSample } from '../../protocol/data.ts';
import type { DataBeginning } from './known-data.ts';

/** Rows that are shown. */
const SHOWN_ROWS = 5;

/** Characters of a value that are shown. */
const VALUE_LENGTH = 200;

/** Settings of a configuration that says nothing about columns. */
const DEFAULTS: DataOptions = dataSection.parse({ dataset_name_or_path: 'any' });

/**
 * What people choose the columns by that are learned from.
 *
 * @param name what the data are called in an error
 * @throws LorafaError `data.empty`, or the code of the first row, where no row can be read
 */
export function dataSample(name: string, { rows, count, bad }: DataBeginning): DataSample {
  if (rows.length === 0) throw nothingToRead(name, bad);
  const values = rows.map(({ value }) => value);
  const columns = Object.keys(values[0] ?? {});
  return {
    count: count.rows,
    columns,
    rows: values
      .slice(0, SHOWN_ROWS)
      .map((value) => Object.fromEntries(columns.map((name) => [name, shownValue(value[name])]))),
    recognised: rows[0] === undefined ? null : recognised(rows[0]),
    guess: guessMapping(values) ?? null,
  };
}

function nothingToRead(name: string, bad: BadRow | undefined): LorafaError {
  if (bad === undefined) {
    return new LorafaError(
      'data.empty',
      `There is not a single row in ${name}; choose other data.`,
    );
  }
  const { file, line, reason, code } = bad;
  return new LorafaError(
    code,
    `No row at the beginning of ${file} can be read, from line ${line} on: ${reason}.`,
    { location: { file, line } },
  );
}

function recognised(row: Row): string | null {
  try {
    return recogniseShape(row, DEFAULTS).description;
  } catch (error) {
    if (error instanceof LorafaError) return null;
    throw error;
  }
}

function shownValue(value: unknown): string {
  if (value === undefined || value === null) return '';
  const isPlain = typeof value !== 'object';
  const text = isPlain
    ? String(value)
    : JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? String(each) : each));
  return shortened(text, VALUE_LENGTH);
}
