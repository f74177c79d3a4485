import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { type LinkRule, openPlainFile } from './plain-file.ts';

/** A file that is open for reading, and its size in bytes when it was opened. */
export interface OpenedFile {
  readonly handle: FileHandle;
  readonly size: number;
}

/** A file that is larger than what is read whole. */
export class FileTooLarge extends Error {
  constructor(size: number, maxBytes: number) {
    const has = `it has ${Math.ceil(size / 2 ** 20)} MiB`;
    super(`${has}, more than the ${formatBound(maxBytes)} it may have`);
  }
}

/**
 * Opens a file for reading, and never waits: a pipe, a device or a folder is refused.
 *
 * @throws NotAPlainFile, also for a link that is not followed; Node's own error when it cannot be
 * opened
 */
export async function openRegularFile(
  file: string,
  links: LinkRule = 'follow',
): Promise<OpenedFile> {
  const handle = await openPlainFile(file, constants.O_RDONLY, links);
  try {
    return { handle, size: (await handle.stat()).size };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/**
 * Reads a whole file of at most `maxBytes`; what is added while it is read is left out.
 *
 * @throws FileTooLarge, and as {@link openRegularFile} does
 */
export async function readBoundedFile(
  file: string,
  maxBytes: number,
  links: LinkRule = 'follow',
): Promise<Buffer> {
  const { handle, size } = await openRegularFile(file, links);
  try {
    if (size > maxBytes) throw new FileTooLarge(size, maxBytes);
    return await readAt(handle, Buffer.allocUnsafe(size), 0);
  } finally {
    await handle.close();
  }
}

/**
 * Fills a buffer with what is in a file from a position on.
 *
 * @returns the part of the buffer that is filled: less than all of it where the file ends before
 */
export async function readAt<Memory extends ArrayBufferLike>(
  handle: FileHandle,
  buffer: Buffer<Memory>,
  position: number,
): Promise<Buffer<Memory>> {
  let done = 0;
  while (done < buffer.length) {
    const { bytesRead } = await handle.read(buffer, done, buffer.length - done, position + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return buffer.subarray(0, done);
}

/** Node's code of an error, `ENOENT` and the like. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}

function formatBound(bytes: number): string {
  return bytes >= 2 ** 20 ? `${bytes / 2 ** 20} MiB` : `${bytes / 2 ** 10} KiB`;
}
