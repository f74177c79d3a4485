import path from 'node:path';
import { LorafaError } from '../errors.ts';
import { readCsv } from './csv.ts';
import { parseDataPath } from './data-path.ts';
import { readJson } from './json.ts';
import { readJsonl } from './jsonl.ts';
import { readParquet } from './parquet/read-parquet.ts';
import type { BadRow, Row } from './row.ts';
import { readText } from './text.ts';

const READERS: Readonly<Record<string, (file: string) => AsyncGenerator<Row | BadRow>>> = {
  '.jsonl': readJsonl,
  '.json': readJson,
  '.csv': readCsv,
  '.tsv': readCsv,
  '.parquet': readParquet,
  '.txt': readText,
};

/**
 * The rows of several data files, one file after the other, bad rows among them. The format is
 * told by the file's extension; a path may end in a row slice (see {@link parseDataPath}).
 * `progress` runs from 0 to 1 over all files.
 *
 * @throws LorafaError `data.not_found`, `data.corrupt`, or `config.invalid_value` for a path of
 * an unknown format or with an impossible slice.
 */
export async function* readRows(paths: readonly string[]): AsyncGenerator<Row | BadRow> {
  // All paths are checked before the first file is read.
  const sources = paths.map((text) => ({ ...parseDataPath(text), read: readerOf(text) }));
  for (const [sourceIndex, { file, start, end, read }] of sources.entries()) {
    let index = -1;
    for await (const row of read(file)) {
      index += 1;
      if (index < start) continue;
      const progress = Math.max(row.progress, (index + 1 - start) / (end - start));
      yield { ...row, progress: (sourceIndex + progress) / sources.length };
      if (index + 1 === end) break;
    }
  }
}

/** Whether the name of a file says that it is in a format that can be read. */
export function isDataFile(name: string): boolean {
  return Object.hasOwn(READERS, path.extname(name).toLowerCase());
}

function readerOf(text: string): (file: string) => AsyncGenerator<Row | BadRow> {
  const { file } = parseDataPath(text);
  const extension = path.extname(file).toLowerCase();
  const reader = READERS[extension];
  if (reader === undefined) {
    throw new LorafaError(
      'config.invalid_value',
      `Cannot tell the format of the data file ${file} by its name; it must end in ${Object.keys(READERS).join(', ')}.`,
      { location: { file } },
    );
  }
  return reader;
}
