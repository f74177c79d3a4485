import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

/** Whether a symbolic link under the name of a file is followed. */
export type LinkRule = 'follow' | 'refuse';

/** A regular file that is open for reading, and its size in bytes when it was opened. */
export interface OpenedFile {
  readonly handle: FileHandle;
  readonly size: number;
}

/** Something that is there and is not read, for what it is; the message is about "it". */
export class UnreadableFile extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** Not on Windows, where opening does not wait and making a link takes a right of its own. */
const NO_WAITING = constants.O_NONBLOCK ?? 0;
const NO_LINKS = constants.O_NOFOLLOW ?? 0;

/**
 * Opens a regular file for reading. Pipes, sockets, devices and folders are refused; a pipe without
 * a writer would otherwise never be opened.
 *
 * @throws UnreadableFile for what is no regular file, or a link that is not followed; Node's own
 * error when it cannot be opened
 */
export async function openRegularFile(
  file: string,
  links: LinkRule = 'follow',
): Promise<OpenedFile> {
  const flags = constants.O_RDONLY | NO_WAITING | (links === 'refuse' ? NO_LINKS : 0);
  const handle = await open(file, flags).catch((error: unknown) => {
    const isLink = links === 'refuse' && codeOf(error) === 'ELOOP';
    throw isLink ? new UnreadableFile('ELOOP', 'it is a link, which is not followed here') : error;
  });
  try {
    const stats = await handle.stat();
    if (stats.isFile()) return { handle, size: stats.size };
    throw stats.isDirectory()
      ? new UnreadableFile('EISDIR', 'it is a folder')
      : new UnreadableFile('EINVAL', 'it is not a regular file');
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/**
 * Reads a whole file of at most `maxBytes`; what is added while it is read is left out.
 *
 * @throws Error as {@link openRegularFile} does, and UnreadableFile `EFBIG` for a larger file
 */
export async function readBoundedFile(
  file: string,
  maxBytes: number,
  links: LinkRule = 'follow',
): Promise<Buffer> {
  const { handle, size } = await openRegularFile(file, links);
  try {
    if (size > maxBytes) {
      const has = `it has ${Math.ceil(size / 2 ** 20)} MiB`;
      throw new UnreadableFile(
        'EFBIG',
        `${has}, more than the ${formatBound(maxBytes)} it may have`,
      );
    }
    const buffer = Buffer.allocUnsafe(size);
    let done = 0;
    while (done < size) {
      const { bytesRead } = await handle.read(buffer, done, size - done, done);
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    return buffer.subarray(0, done);
  } finally {
    await handle.close();
  }
}

/** Node's code of an error, `ENOENT` and the like. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}

function formatBound(bytes: number): string {
  return bytes >= 2 ** 20 ? `${bytes / 2 ** 20} MiB` : `${bytes / 2 ** 10} KiB`;
}
