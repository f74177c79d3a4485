import { LorafaError } from '../errors.ts';
import { type ByteSource, openBytes } from './bytes.ts';
import type { BadRow, RowPlace } from './row.ts';

/** One line of a text file, without its line break. */
export interface Line extends RowPlace {
  readonly text: string;
  /** How much of the file lies before the line's end, 0 to 1. */
  readonly progress: number;
}

/** A line of more bytes than this is no row that could be learned from, and is not kept in memory. */
export const MAX_LINE_BYTES = 64 * 2 ** 20;

/** A file with a line of more bytes than this is no text, whatever comes after it. */
export const MAX_TEXT_LINE_BYTES = 2 ** 28;

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/**
 * The lines of a UTF-8 file that are not blank, read as a stream. A byte order mark is dropped and
 * `\r\n` ends a line like `\n`. Lines that are not valid UTF-8 or far too long come as bad rows.
 *
 * @throws LorafaError `data.not_found` when the file cannot be read, `data.corrupt` when it is no text
 */
export async function* readLines(file: string): AsyncGenerator<Line | BadRow> {
  const { chunks, progressAt } = await openBytes(file);
  yield* linesIn(chunks, { file, line: 1, offset: 0, progressAt });
}

/** Where bytes come from. */
export interface LinesOrigin {
  readonly file: string;
  /** Line that the first of them is in, from 1. */
  readonly line: number;
  /** Where in the file they start. */
  readonly offset: number;
  readonly progressAt: ByteSource['progressAt'];
}

/** The lines of {@link readLines} in a part of a file that starts where a line does. */
export async function* linesIn(
  chunks: AsyncIterable<Buffer> | Iterable<Buffer>,
  origin: LinesOrigin,
): AsyncGenerator<Line | BadRow> {
  const { file } = origin;
  for await (const { bytes, length, line, progress } of rawLinesIn(chunks, origin)) {
    const place = { file, line, progress };
    if (bytes === undefined) {
      const mebibytes = (length / 2 ** 20).toFixed(0);
      const reason = `the line has ${mebibytes} MiB, more than the ${MAX_LINE_BYTES / 2 ** 20} MiB that a row may have`;
      yield { ...place, reason, code: 'data.corrupt' };
      continue;
    }
    const text = decodeUtf8(bytes);
    if (text === undefined) {
      yield {
        ...place,
        reason: 'the line is not valid UTF-8 (save the file as UTF-8)',
        code: 'data.corrupt',
      };
    } else if (text.trim() !== '') {
      yield { ...place, text };
    }
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** UTF-8 bytes as text, or undefined when they are not valid. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

interface RawLine {
  /** Undefined when the line is longer than {@link MAX_LINE_BYTES}. */
  readonly bytes: Uint8Array | undefined;
  readonly length: number;
  readonly line: number;
  readonly progress: number;
}

async function* rawLinesIn(
  chunks: AsyncIterable<Buffer> | Iterable<Buffer>,
  { file, progressAt, ...start }: LinesOrigin,
): AsyncGenerator<RawLine> {
  let position = start.offset;
  let length = 0;
  let pieces: Uint8Array[] = [];
  let line = start.line;
  const add = (piece: Uint8Array): void => {
    length += piece.length;
    if (length > MAX_TEXT_LINE_BYTES) throw noText(file, line);
    // A line that grew too long is only counted on.
    if (length > MAX_LINE_BYTES) pieces = [];
    else pieces.push(piece);
  };
  const finish = (): RawLine => {
    const isKept = length <= MAX_LINE_BYTES;
    const bytes = isKept ? withoutCarriageReturn(Buffer.concat(pieces)) : undefined;
    const result = { bytes, length, line, progress: progressAt(position) };
    length = 0;
    pieces = [];
    line += 1;
    return result;
  };
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      const isEmpty = end === start && length === 0;
      if (!isEmpty) add(chunk.subarray(start, end));
      position += end + 1 - start;
      start = end + 1;
      // Millions of empty lines are passed over at once.
      if (isEmpty) line += 1;
      else yield finish();
    }
    add(chunk.subarray(start));
    position += chunk.length - start;
  }
  if (length > 0) yield finish();
}

/** The error for a file with a line that no text has. */
export function noText(file: string, line: number): LorafaError {
  return new LorafaError(
    'data.corrupt',
    `${file} is no text: its line ${line} has more than ${MAX_TEXT_LINE_BYTES / 2 ** 20} MiB; choose a file with one row a line.`,
    { location: { file, line } },
  );
}

function withoutCarriageReturn(bytes: Uint8Array): Uint8Array {
  return bytes.at(-1) === CARRIAGE_RETURN ? bytes.subarray(0, -1) : bytes;
}

/** Whether there are only ASCII spaces; almost every line ends the loop at its first byte. */
export function isBlankBetween(bytes: Uint8Array, start: number, end: number): boolean {
  for (let index = start; index < end; index++) {
    const byte = bytes[index]!;
    if (byte !== 0x20 && (byte < 0x09 || byte > 0x0d)) return false;
  }
  return true;
}
