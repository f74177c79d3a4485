import { type FileHandle, open } from 'node:fs/promises';

/** Bytes read at a time; a history of any length is handed on in pieces of this size. */
const CHUNK = 256 * 1024;

const NEWLINE = 0x0a;

/** Reads a text file that grows, line by line, each complete line once. */
export class LineTail {
  readonly #file: string;
  #offset = 0;
  /** The start of a line whose end is not written yet. */
  #rest = Buffer.alloc(0);

  constructor(file: string) {
    this.#file = file;
  }

  /**
   * Yields the complete lines that came since the last call, in pieces. A file that does not exist
   * is empty. One that became shorter was replaced, and is read from its start.
   */
  async *read(): AsyncGenerator<readonly string[], void> {
    const handle = await open(this.#file, 'r').catch(() => undefined);
    if (handle === undefined) return;
    try {
      if ((await handle.stat()).size < this.#offset) this.#restart();
      for (;;) {
        const lines = await this.#readChunk(handle);
        if (lines === undefined) return;
        if (lines.length > 0) yield lines;
      }
    } finally {
      await handle.close();
    }
  }

  #restart(): void {
    this.#offset = 0;
    this.#rest = Buffer.alloc(0);
  }

  async #readChunk(handle: FileHandle): Promise<readonly string[] | undefined> {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(CHUNK), 0, CHUNK, this.#offset);
    if (bytesRead === 0) return undefined;
    this.#offset += bytesRead;
    const text = Buffer.concat([this.#rest, buffer.subarray(0, bytesRead)]);
    const end = text.lastIndexOf(NEWLINE) + 1;
    this.#rest = text.subarray(end);
    const lines = text.toString('utf8', 0, end).split('\n');
    return lines.filter((line) => line !== '');
  }
}
