import { messageOf } from '../errors.ts';
import { parseJson } from '../json.ts';
import { readLines } from './lines.ts';
import { type BadRow, type Row, rowOfJson } from './row.ts';

/**
 * JSON Lines: one object per line. A line that is not one comes as a bad row.
 *
 * @throws LorafaError `data.not_found` when the file cannot be read.
 */
export async function* readJsonl(file: string): AsyncGenerator<Row | BadRow> {
  for await (const line of readLines(file)) {
    if (!('text' in line)) {
      yield line;
      continue;
    }
    const { text, ...place } = line;
    let value: unknown;
    try {
      value = parseJson(text);
    } catch (error) {
      yield { ...place, reason: `the line ${messageOf(error)}`, code: 'data.corrupt' };
      continue;
    }
    yield rowOfJson(value, place);
  }
}
