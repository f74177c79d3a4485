import { Readable } from 'node:stream';
import { CsvError, type Info, parse } from 'csv-parse';
import { type ByteSource, openBytes } from './bytes.ts';
import { corruptFile } from './file-problem.ts';
import { decodeUtf8, MAX_LINE_BYTES } from './lines.ts';
import type { BadRow, Row } from './row.ts';

/** What may separate the fields of a row, the commonest first. */
const DELIMITERS = [',', ';', '\t'] as const;

/**
 * CSV (RFC 4180: double quotes, quoted line breaks) whose first record names the columns. Fields are
 * separated by what the header has most of: commas, tabs, or the semicolons that spreadsheets write
 * where the comma is a decimal point. Every value is text. Records with another number of fields or
 * invalid UTF-8 come as bad rows.
 *
 * @throws LorafaError `data.not_found` when the file cannot be read, `data.corrupt` when the
 * header is unusable or a quote is never closed.
 */
export async function* readCsv(file: string): AsyncGenerator<Row | BadRow> {
  const bytes = await openBytes(file);
  let columns: readonly string[] | undefined;
  let countedTwice = 0;
  for await (const { record, info } of readRecords(file, bytes)) {
    // The parser counts lines up to the end of the record, and both characters of a quoted \r\n.
    const quoted = record.join('');
    countedTwice += quoted.match(/\r\n/g)?.length ?? 0;
    const line = info.lines - countedTwice - (quoted.match(/\r\n|[\r\n]/g)?.length ?? 0);
    const fields = record.map(textOfBytes);
    const isText = fields.every((field) => field !== undefined);
    if (columns === undefined) {
      if (!isText)
        throw corruptFile(file, 'the header is not valid UTF-8 (save the file as UTF-8)', line);
      columns = checkHeader(fields, file, line);
      continue;
    }
    const place = { file, line, progress: bytes.progressAt(info.bytes) };
    if (!isText) {
      yield {
        ...place,
        reason: 'the row is not valid UTF-8 (save the file as UTF-8)',
        code: 'data.corrupt',
      };
    } else if (fields.length !== columns.length) {
      const reason = `the row has ${fields.length} fields, the header ${columns.length}`;
      yield { ...place, reason, code: 'data.corrupt' };
    } else {
      const value = Object.fromEntries(columns.map((name, index) => [name, fields[index]]));
      yield { ...place, value };
    }
  }
}

/** Bytes, each as a character, as the text that they are; undefined for what is not UTF-8. */
function textOfBytes(field: string): string | undefined {
  // Most fields are ASCII, which is the same either way.
  return /[\x80-\xff]/.test(field) ? decodeUtf8(Buffer.from(field, 'latin1')) : field;
}

interface CsvRecord {
  /** Each character is a byte. */
  readonly record: readonly string[];
  readonly info: Info;
}

async function* readRecords(file: string, { chunks }: ByteSource): AsyncGenerator<CsvRecord> {
  const parser = parse({
    delimiter: await delimiterOf(file),
    // Bytes, because decoding would hide invalid UTF-8.
    encoding: 'latin1',
    info: true,
    max_record_size: MAX_LINE_BYTES,
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
  });
  withoutLengthErrors(parser);
  const source = Readable.from(chunks);
  source.on('error', (error) => parser.destroy(error));
  try {
    yield* source.pipe(parser) as AsyncIterable<CsvRecord>;
  } catch (error) {
    throw error instanceof CsvError ? corruptFile(file, reasonOf(error), lineOf(error)) : error;
  } finally {
    source.destroy();
  }
}

/** What the first line has most of outside of quotes; a comma where it has none of them. */
async function delimiterOf(file: string): Promise<string> {
  const { chunks } = await openBytes(file);
  for await (const chunk of chunks) {
    const header = chunk
      .toString('latin1')
      .replaceAll(/"[^"]*"?/g, '')
      .split(/[\r\n]/, 1)[0]!;
    const count = (delimiter: string): number => header.split(delimiter).length;
    return DELIMITERS.reduce((best, each) => (count(each) > count(best) ? each : best));
  }
  return DELIMITERS[0];
}

/**
 * For every record with another number of fields than the header the parser makes an error with its
 * stack and a copy of the record, which takes ten times as long as the record itself, and which
 * nobody asks for. It makes none where a record has as many fields as it expects.
 */
function withoutLengthErrors(parser: object): void {
  const { state } = parser as { readonly state?: { readonly record: readonly string[] } };
  if (state === undefined) return;
  const get = (): number => state.record.length;
  Object.defineProperty(state, 'expectedRecordLength', { get, set: () => undefined });
}

function checkHeader(names: readonly string[], file: string, line: number): readonly string[] {
  const seen = new Set<string>();
  const repeated = names.find((name) => seen.size === seen.add(name).size);
  if (repeated === undefined) return names;
  throw corruptFile(file, `the header names the column "${repeated}" twice; rename one`, line);
}

function lineOf(error: CsvError): number | undefined {
  return typeof error['lines'] === 'number' ? error['lines'] : undefined;
}

function reasonOf(error: CsvError): string {
  if (error.code === 'CSV_QUOTE_NOT_CLOSED') return 'a quote (") is opened and never closed';
  if (error.code === 'CSV_MAX_RECORD_SIZE') {
    return `a row has more than ${MAX_LINE_BYTES / 2 ** 20} MiB, perhaps because a quote (") is never closed`;
  }
  return error.message;
}
