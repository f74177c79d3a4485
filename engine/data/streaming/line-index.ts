import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { type OpenedFile, readAt } from '../../bounded-file.ts';
import { withoutByteOrderMark } from '../bytes.ts';
import { isBlankBetween, MAX_TEXT_LINE_BYTES, noText } from '../lines.ts';
import type { OnScanned } from './seekable-rows.ts';

/** Where the rows of a file of lines are. Arrays have an element for each block of lines. */
export interface LineIndex {
  /** Byte at which the block starts. */
  readonly offsets: Float64Array;
  /** Lines before it, blank ones included. */
  readonly lines: Float64Array;
  /** Rows before it: lines that are not blank. */
  readonly starts: Float64Array;
  /** Rows of all blocks. */
  readonly rows: number;
  /** Bytes of the file. */
  readonly size: number;
  /** SHA-256 of where the blocks are and of how each begins, in hexadecimal. */
  readonly digest: string;
}

/** Bytes of a block at least: some dozens of rows, which are read with one seek. */
const BLOCK_BYTES = 2 ** 15;
/** Blocks at most, about: an index of 24 MiB. */
const MAX_BLOCKS = 2 ** 20;
/** Bytes that are read at once. */
const CHUNK_BYTES = 2 ** 22;
/** Bytes of a block that the digest is made of: all of them would take longer than the disk. */
const DIGESTED_BYTES = 256;

const NEWLINE = 0x0a;

/**
 * Looks through a file for its line breaks, as fast as the disk gives it.
 *
 * @param name of the file, for errors
 * @throws LorafaError `data.corrupt` for a file that is no text
 */
export async function indexLines(
  name: string,
  { handle, size }: OpenedFile,
  onScanned: OnScanned = () => undefined,
): Promise<LineIndex> {
  const blockBytes = Math.max(BLOCK_BYTES, Math.ceil(size / MAX_BLOCKS));
  const hash = createHash('sha256');
  const [offsets, lines, starts]: [number[], number[], number[]] = [[], [], []];
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  let [line, rows, lineStart, nextBlock] = [0, 0, 0, 0];
  let isBlank = true;
  for (let position = 0; position < size; ) {
    const chunk = await readAt(handle, buffer, position);
    if (chunk.length === 0) break;
    const mark = position === 0 ? chunk.length - withoutByteOrderMark(chunk).length : 0;
    if (position === 0) [lineStart, nextBlock] = [mark, mark];
    for (let at = mark; at < chunk.length; ) {
      if (position + at === lineStart && lineStart >= nextBlock) {
        offsets.push(lineStart);
        lines.push(line);
        starts.push(rows);
        hash.update(chunk.subarray(at, at + DIGESTED_BYTES));
        nextBlock = lineStart + blockBytes;
      }
      const end = chunk.indexOf(NEWLINE, at);
      isBlank &&= isBlankBetween(chunk, at, end === -1 ? chunk.length : end);
      if (end === -1) break;
      if (!isBlank) rows += 1;
      line += 1;
      isBlank = true;
      at = end + 1;
      lineStart = position + at;
    }
    position += chunk.length;
    if (position - lineStart > MAX_TEXT_LINE_BYTES) throw noText(name, line + 1);
    onScanned(position / size);
    await setImmediate();
  }
  if (!isBlank) rows += 1;
  const columns = [offsets, lines, starts].map((column) => Float64Array.from(column));
  for (const column of columns) hash.update(column);
  hash.update(JSON.stringify([rows, size]));
  return {
    offsets: columns[0]!,
    lines: columns[1]!,
    starts: columns[2]!,
    rows,
    size,
    digest: hash.digest('hex'),
  };
}
