import { messageOf } from '../errors.ts';
import { parseJson } from '../json.ts';
import { type Line, readLines } from './lines.ts';
import { type BadRow, type Row, rowOfJson } from './row.ts';

/**
 * JSON Lines: one object per line. A line that is not one comes as a bad row.
 *
 * @throws LorafaError `data.not_found` when the file cannot be read.
 */
export async function* readJsonl(file: string): AsyncGenerator<Row | BadRow> {
  for await (const line of readLines(file)) yield 'text' in line ? jsonlRow(line) : line;
}

/** The row on a line of JSON Lines. */
export function jsonlRow({ text, ...place }: Line): Row | BadRow {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (error) {
    return { ...place, reason: `the line ${messageOf(error)}`, code: 'data.corrupt' };
  }
  return rowOfJson(value, place);
}
