import { dataSection } from '../../../engine/config/data-section.ts';
import { guessMapping } from '../../../engine/data/guess-columns.ts';
import type { DataOptions } from '../../../engine/data/options.ts';
import type { Row } from '../../../engine/data/row.ts';
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

/** What people choose the columns by that are learned from. */
export function dataSample({ rows, count }: DataBeginning): DataSample {
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
