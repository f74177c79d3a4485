import { type Line, readLines } from './lines.ts';
import type { BadRow, Row } from './row.ts';

/**
 * Plain text: one row per line that is not blank, in the column `text`, as the `text` loader of
 * Hugging Face Datasets samples by line.
 *
 * @throws LorafaError `data.not_found` when the file cannot be read.
 */
export async function* readText(file: string): AsyncGenerator<Row | BadRow> {
  for await (const line of readLines(file)) yield 'text' in line ? textRow(line) : line;
}

/** The row on a line of plain text. */
export function textRow({ text, ...place }: Line): Row {
  return { ...place, value: { text } };
}
