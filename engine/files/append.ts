import { constants, writeSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { openPlainFile } from '../plain-file.ts';
import { writeFully } from './atomic-file.ts';
import { copyContent } from './create-file.ts';
import { moveFile } from './folders.ts';
import { explained } from './not-writable.ts';

/** A file that is appended to, perhaps over several attempts, of which each begins where the one before ended. */
export class PartialFile {
  readonly path: string;
  readonly #handle: FileHandle;
  #size: number;

  private constructor(target: string, handle: FileHandle, size: number) {
    this.path = target;
    this.#handle = handle;
    this.#size = size;
  }

  /**
   * Opens what there is of a file in a folder that exists, or an empty one.
   *
   * @throws LorafaError `output.not_writable`, here and in every method that writes.
   */
  static async open(target: string): Promise<PartialFile> {
    return explained(target, async () => {
      const handle = await openPlainFile(target, constants.O_RDWR | constants.O_CREAT);
      return new PartialFile(target, handle, (await handle.stat()).size);
    });
  }

  /** Bytes that are there. */
  get size(): number {
    return this.#size;
  }

  /** All bytes that are there, piece by piece. */
  async *content(): AsyncGenerator<Uint8Array> {
    const buffer = Buffer.allocUnsafe(1 << 20);
    for (let at = 0; at < this.#size; ) {
      const { bytesRead } = await this.#handle.read(buffer, 0, buffer.length, at);
      if (bytesRead === 0) break;
      yield buffer.subarray(0, bytesRead);
      at += bytesRead;
    }
  }

  async append(data: Uint8Array): Promise<void> {
    await explained(this.path, () => writeFully(this.#handle, data, this.#size));
    this.#size += data.byteLength;
  }

  /** Begins anew. */
  async clear(): Promise<void> {
    await explained(this.path, () => this.#handle.truncate(0));
    this.#size = 0;
  }

  /** Waits until all that was appended would survive a power cut. */
  async sync(): Promise<void> {
    await explained(this.path, () => this.#handle.sync());
  }

  /** Flushes the file, which is complete, and gives it its name. */
  async commit(name: string): Promise<void> {
    await explained(name, () => this.#handle.sync());
    await moveFile(this.path, name);
  }

  async close(): Promise<void> {
    await explained(this.path, () => this.#handle.close());
  }
}

/** An append-only text file of one record per line. */
export class Journal {
  readonly path: string;
  readonly #handle: FileHandle;

  private constructor(target: string, handle: FileHandle) {
    this.path = target;
    this.#handle = handle;
  }

  /**
   * Opens a journal in a folder that exists, at the end of what it holds already. A last line that
   * a crash left unfinished stays alone on its line. What is no file of its own (a link, a pipe) is
   * refused, and one that has other names besides (a copy made of hard links) becomes a copy: what
   * is appended goes into this folder and nowhere else.
   *
   * @throws LorafaError `output.not_writable`, here and in every method.
   */
  static async open(target: string): Promise<Journal> {
    return explained(target, async () => {
      const journal = new Journal(target, await openToAppend(target));
      if (await journal.#endsInsideLine()) await journal.append('');
      return journal;
    });
  }

  async #endsInsideLine(): Promise<boolean> {
    const { size } = await this.#handle.stat();
    if (size === 0) return false;
    const { buffer } = await this.#handle.read(Buffer.alloc(1), 0, 1, size - 1);
    return buffer.toString() !== '\n';
  }

  /** Appends a line, or several with line breaks between them, in a single write. */
  async append(line: string): Promise<void> {
    await explained(this.path, () => writeFully(this.#handle, Buffer.from(`${line}\n`)));
  }

  /** Like {@link append}, before anything else happens in this process, which may be its end. */
  appendNow(line: string): void {
    writeSync(this.#handle.fd, `${line}\n`);
  }

  /** Waits until everything appended so far would survive a power cut. */
  async sync(): Promise<void> {
    await explained(this.path, () => this.#handle.sync());
  }

  async close(): Promise<void> {
    await explained(this.path, () => this.#handle.close());
  }
}

async function openToAppend(target: string): Promise<FileHandle> {
  const flags = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT;
  const handle = await openPlainFile(target, flags);
  if ((await handle.stat()).nlink <= 1) return handle;
  try {
    await copyContent(handle, target);
  } finally {
    await handle.close();
  }
  return openPlainFile(target, flags);
}
