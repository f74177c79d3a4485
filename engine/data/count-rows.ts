import { openBytes } from './bytes.ts';
import { dataFormat } from './data-format.ts';
import { parseDataPath } from './data-path.ts';
import { isBlankBetween } from './lines.ts';
import { readRows } from './rows.ts';

/** How many rows a data file has. */
export interface RowCount {
  readonly rows: number;
  /** False where the rest of a large file was inferred from its beginning. */
  readonly isExact: boolean;
}

/** Bytes of lines that are counted one by one: a second or two of reading. */
const COUNTED_BYTES = 2 ** 29;

/** Rows of other formats that are parsed. */
const PARSED_ROWS = 10_000;

const NEWLINE = 0x0a;

/**
 * Counts the rows of a data file, which may be named with a slice, without reading more than is
 * needed: lines are counted and not parsed, and the rest of a very large file is inferred.
 *
 * @throws LorafaError as `readRows`
 */
export async function countRows(name: string): Promise<RowCount> {
  const { file, start, end } = parseDataPath(name);
  const { isLines } = dataFormat(file);
  const { rows, isExact } = isLines ? await countLines(file) : await countParsed(file);
  return { rows: Math.max(0, Math.min(rows, end) - start), isExact };
}

async function countLines(file: string): Promise<RowCount> {
  const { chunks, progressAt } = await openBytes(file);
  let bytes = 0;
  let rows = 0;
  let isBlank = true;
  for await (const chunk of chunks) {
    let start = 0;
    for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, start)) {
      isBlank &&= isBlankBetween(chunk, start, at);
      if (!isBlank) rows += 1;
      isBlank = true;
      start = at + 1;
    }
    isBlank &&= isBlankBetween(chunk, start, chunk.length);
    bytes += chunk.length;
    const progress = progressAt(bytes);
    if (bytes >= COUNTED_BYTES && progress < 1) {
      return { rows: Math.round(rows / progress), isExact: false };
    }
  }
  return { rows: isBlank ? rows : rows + 1, isExact: true };
}

async function countParsed(file: string): Promise<RowCount> {
  let rows = 0;
  for await (const { progress } of readRows([file])) {
    rows += 1;
    if (rows < PARSED_ROWS || progress >= 1) continue;
    return { rows: Math.round(rows / progress), isExact: false };
  }
  return { rows, isExact: true };
}
