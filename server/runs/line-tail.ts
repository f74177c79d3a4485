import type { FileHandle } from 'node:fs/promises';
import { codeOf, type OpenedFile, openRegularFile } from '../../engine/bounded-file.ts';
import { messageOf } from '../../engine/errors.ts';

/** Bytes read at a time; a history of any length is handed on in pieces of this size. */
const CHUNK = 256 * 1024;

/** A file is read no further: what runs write stays far below it, and a sparse one costs nothing. */
export const MAX_FILE_BYTES = 2 ** 30;

const NEWLINE = 0x0a;

/** One line of a text file. */
export interface TailLine {
  /** Counts from 1, blank lines included. */
  readonly number: number;
  /** Undefined when it is longer than lines may be: it was skipped to its end. */
  readonly text: string | undefined;
}

/** Reads a text file that grows, line by line, each complete line once. */
export class LineTail {
  readonly #file: string;
  readonly #maxLineBytes: number;
  #offset = 0;
  #number = 0;
  /** The start of a line whose end is not written yet, in pieces; none of it once it is too long. */
  #pieces: Buffer[] = [];
  #length = 0;
  #problem: string | null = null;

  /** @param maxLineBytes a longer line is not kept in memory */
  constructor(file: string, maxLineBytes: number) {
    this.#file = file;
    this.#maxLineBytes = maxLineBytes;
  }

  /** Why what is there cannot be read, such as a link, or not to its end; null if it can. */
  get problem(): string | null {
    return this.#problem;
  }

  /** Number of a line that is too long already, though its end is not written yet. */
  get endless(): number | undefined {
    return this.#length > this.#maxLineBytes ? this.#number + 1 : undefined;
  }

  /**
   * Yields the complete lines that came since the last call, in pieces; blank ones are left out. A
   * file that does not exist is empty, and so is what is no regular file. One that became shorter
   * was replaced, and is read from its start. Nothing beyond {@link MAX_FILE_BYTES} is read.
   */
  async *read(): AsyncGenerator<readonly TailLine[], void> {
    const opened = await this.#open();
    if (opened === undefined) return;
    const { handle, size } = opened;
    try {
      if (size < this.#offset) this.#restart();
      const chunk = Buffer.allocUnsafe(CHUNK);
      for (;;) {
        const lines = await this.#readChunk(handle, chunk);
        if (lines === undefined) return;
        if (lines.length > 0) yield lines;
      }
    } finally {
      await handle.close();
    }
  }

  async #open(): Promise<OpenedFile | undefined> {
    try {
      const opened = await openRegularFile(this.#file, 'refuse');
      this.#problem =
        opened.size > MAX_FILE_BYTES
          ? `of its ${Math.ceil(opened.size / 2 ** 30)} GiB only the first is read`
          : null;
      return opened;
    } catch (error) {
      // ENOTDIR: what should be its folder is a file.
      const isMissing = ['ENOENT', 'ENOTDIR'].includes(codeOf(error) ?? '');
      this.#problem = isMissing ? null : messageOf(error);
      return undefined;
    }
  }

  #restart(): void {
    this.#offset = 0;
    this.#number = 0;
    this.#pieces = [];
    this.#length = 0;
  }

  async #readChunk(handle: FileHandle, chunk: Buffer): Promise<readonly TailLine[] | undefined> {
    const length = Math.min(CHUNK, MAX_FILE_BYTES - this.#offset);
    if (length <= 0) return undefined;
    const { bytesRead } = await handle.read(chunk, 0, length, this.#offset);
    if (bytesRead === 0) return undefined;
    this.#offset += bytesRead;
    const bytes = chunk.subarray(0, bytesRead);
    const lines: TailLine[] = [];
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, start)) {
      const line = this.#endLine(bytes.subarray(start, end));
      if (line.text !== '') lines.push(line);
      start = end + 1;
    }
    this.#add(bytes.subarray(start));
    return lines;
  }

  #add(piece: Buffer): void {
    this.#length += piece.length;
    if (this.#length > this.#maxLineBytes) this.#pieces = [];
    // The chunk that it lies in is used again.
    else if (piece.length > 0) this.#pieces.push(Buffer.from(piece));
  }

  #endLine(last: Buffer): TailLine {
    this.#number += 1;
    const length = this.#length + last.length;
    const isKept = length <= this.#maxLineBytes;
    const bytes = this.#pieces.length === 0 ? last : Buffer.concat([...this.#pieces, last]);
    this.#pieces = [];
    this.#length = 0;
    return { number: this.#number, text: isKept ? bytes.toString('utf8') : undefined };
  }
}
