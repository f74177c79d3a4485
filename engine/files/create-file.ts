import { type FileHandle, link, open, rename, rm, stat, symlink } from 'node:fs/promises';
import path from 'node:path';
import { openRegularFile } from '../bounded-file.ts';
import { type ErrorCode, LorafaError, messageOf } from '../errors.ts';
import { writeAtomically, writeFully } from './atomic-file.ts';
import { makeFolder } from './folders.ts';
import { explained } from './not-writable.ts';
import { temporaryName } from './temporary-name.ts';

/**
 * Makes a small file unless something of that name exists. Of several processes that try, one
 * succeeds. The file appears with its content where the file system has hard links; elsewhere
 * (exFAT) it is empty for a moment.
 *
 * @returns whether the file was made
 * @throws LorafaError `output.not_writable`.
 */
export async function createFile(target: string, data: string): Promise<boolean> {
  return explained(target, async () => {
    const temporary = temporaryName(target);
    await writeNewFile(temporary, data);
    try {
      await link(temporary, target);
      return true;
    } catch (error) {
      // A network file system may answer so although it was this link that it made.
      if (isExisting(error)) return await hasTwoNames(temporary);
    } finally {
      await rm(temporary, { force: true });
    }
    try {
      await writeNewFile(target, data);
      return true;
    } catch (error) {
      if (isExisting(error)) return false;
      throw error;
    }
  });
}

function hasTwoNames(file: string): Promise<boolean> {
  return stat(file).then(
    ({ nlink }) => nlink === 2,
    () => false,
  );
}

function isExisting(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EEXIST';
}

/** Throws Node's own error; nothing is left behind then. */
async function writeNewFile(target: string, data: string): Promise<void> {
  const handle = await open(target, 'wx');
  try {
    await writeFully(handle, Buffer.from(data));
    await handle.sync();
  } catch (error) {
    await rm(target, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
}

/**
 * Copies a file atomically, and never waits for one that is none.
 *
 * @param unreadable the code of the error where `source` is no file, or cannot be read
 * @throws LorafaError with that code, `output.not_writable`
 */
export async function copyFile(
  source: string,
  target: string,
  unreadable: ErrorCode,
): Promise<void> {
  const { handle } = await openRegularFile(source).catch((cause: unknown) => {
    throw new LorafaError(
      unreadable,
      `${source} cannot be read (${messageOf(cause)}); put a file that can be read in its place, or remove it.`,
      { location: { file: source }, cause },
    );
  });
  try {
    await copyContent(handle, target);
  } finally {
    await handle.close();
  }
}

export async function copyContent(source: FileHandle, target: string): Promise<void> {
  await writeAtomically(target, async (file) => {
    const stream = source.createReadStream({ start: 0, autoClose: false, highWaterMark: 1 << 20 });
    for await (const chunk of stream) await file.write(chunk as Uint8Array);
  });
}

/**
 * Gives a file, which stays where it is, a name elsewhere by a link.
 *
 * @throws LorafaError `output.not_writable`, also where something has that name or the system makes no links
 */
export async function pointTo(file: string, name: string): Promise<void> {
  await explained(name, () => symlink(path.resolve(file), name));
}

/**
 * Gives a file a second name by a relative link, so that both may be moved together. Where there are
 * no links (on Windows they are a privilege), the file itself gets the name.
 *
 * @throws LorafaError `output.not_writable`.
 */
export async function linkFile(file: string, name: string): Promise<void> {
  await explained(name, async () => {
    await makeFolder(path.dirname(name));
    const temporary = temporaryName(name);
    const isLinked = await symlink(path.relative(path.dirname(name), file), temporary).then(
      () => true,
      () => false,
    );
    await rename(isLinked ? temporary : file, name);
  });
}
