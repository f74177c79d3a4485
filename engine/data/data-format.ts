import path from 'node:path';
import { LorafaError } from '../errors.ts';
import { ArrowRows, readArrow } from './arrow/read-arrow.ts';
import { compressionOf, withoutCompression } from './compression.ts';
import { readCsv } from './csv.ts';
import { readJson } from './json.ts';
import { jsonlRow, readJsonl } from './jsonl.ts';
import { ParquetRows, readParquet } from './parquet/read-parquet.ts';
import type { BadRow, Row } from './row.ts';
import { LineRows } from './streaming/line-rows.ts';
import type { OnScanned, SeekableRows } from './streaming/seekable-rows.ts';
import { readText, textRow } from './text.ts';

/** How the rows of a file are read. */
export interface DataFormat {
  /** All of them, one after the other. */
  readonly read: (file: string) => AsyncGenerator<Row | BadRow>;
  /** Finds them, so that some can be read without the others; absent where that cannot be. */
  readonly open?: (file: string, onScanned?: OnScanned) => Promise<SeekableRows>;
  /** Each line that is not blank is a row. */
  readonly isLines?: true;
}

const FORMATS: Readonly<Record<string, DataFormat>> = {
  '.jsonl': {
    read: readJsonl,
    open: (file, onScanned) => LineRows.open(file, jsonlRow, onScanned),
    isLines: true,
  },
  '.json': { read: readJson },
  '.csv': { read: readCsv },
  '.tsv': { read: readCsv },
  '.txt': {
    read: readText,
    open: (file, onScanned) => LineRows.open(file, textRow, onScanned),
    isLines: true,
  },
  '.parquet': { read: readParquet, open: ParquetRows.open },
  '.arrow': { read: readArrow, open: ArrowRows.open },
};

/** Formats that have a compression of their own. */
const COMPRESSED: readonly string[] = ['.parquet', '.arrow'];

/** Whether the name of a file says that it is in a format that can be read. */
export function isDataFile(name: string): boolean {
  return findFormat(name) !== undefined;
}

/** How a file is read, by its name. @throws LorafaError `config.invalid_value` for an unknown format */
export function dataFormat(file: string): DataFormat {
  const format = findFormat(file);
  if (format !== undefined) return format;
  throw new LorafaError(
    'config.invalid_value',
    `Cannot tell the format of the data file ${file} by its name; it must end in ${Object.keys(FORMATS).join(', ')}, and those of text may be compressed (.gz, .zst).`,
    { location: { file } },
  );
}

function findFormat(name: string): DataFormat | undefined {
  const extension = path.extname(withoutCompression(name)).toLowerCase();
  const format = Object.hasOwn(FORMATS, extension) ? FORMATS[extension] : undefined;
  if (format === undefined || compressionOf(name) === undefined) return format;
  if (COMPRESSED.includes(extension)) return undefined;
  const { open: _, ...others } = format;
  // What is compressed can only be unpacked from its start.
  return others;
}
