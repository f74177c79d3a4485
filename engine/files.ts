import { randomBytes } from 'node:crypto';
import { constants, rmSync, writeSync } from 'node:fs';
import {
  type FileHandle,
  link,
  lstat,
  mkdir,
  open,
  readdir,
  rename,
  rm,
  rmdir,
  stat,
  symlink,
  unlink,
  utimes,
} from 'node:fs/promises';
import path from 'node:path';
import { LorafaError, messageOf } from './errors.ts';
import { NotAPlainFile, openPlainFile } from './plain-file.ts';
import { isOwnerRunning, ownTag, TAG_PATTERN } from './process-mark.ts';

/**
 * The only file of the engine that writes to disk. Whatever appears under its final name is
 * complete: files are written under a temporary name in the same folder, flushed, and renamed.
 */

/** Ways out for the reasons that people can do something about, by Node's error code. */
const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission is denied; choose another output folder or change its permissions',
  EPERM: 'the operation is not permitted; choose another output folder or change its permissions',
  EROFS: 'the file system is read-only; choose an output folder on another one',
  ENOSPC: 'the disk is full; free some space or choose an output folder on another disk',
  EDQUOT: 'your disk quota is used up; free some space or choose an output folder elsewhere',
  ENOTDIR: 'a part of that path is a file, not a folder; choose another output folder',
  EEXIST: 'a file is in the way of a folder; move it or choose another output folder',
  EISDIR: 'a folder of that name is in the way; move it or choose another output folder',
  ENOTEMPTY: 'a folder that is not empty is in the way; move it or choose another output folder',
  ENOENT: 'the folder does not exist; create it or choose another output folder',
  ENAMETOOLONG: 'the name is too long; choose a shorter output folder',
  EBUSY: 'another program is using it; close that program and try again',
  EFBIG: 'the file system cannot hold files of that size; choose an output folder on another one',
};

/** The `output.not_writable` error for a failed write: names the path, the cause and the way out. */
export function notWritable(target: string, error: unknown): LorafaError {
  if (error instanceof LorafaError) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const wayOut =
    error instanceof NotAPlainFile
      ? 'remove it or choose another output folder'
      : 'choose another output folder';
  const reason = REASONS[code] ?? `${messageOf(error)}; ${wayOut}`;
  return new LorafaError('output.not_writable', `Cannot write to ${target}: ${reason}.`, {
    location: { file: target },
    cause: error,
  });
}

/** The sentence of {@link notWritable} for what is no result, and is put elsewhere in another way. */
export function withWayOut({ message }: LorafaError, wayOut: string): string {
  return `${message.replace(/; [^;]*$/, '')}; ${wayOut}.`;
}

async function explained<T>(target: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw notWritable(target, error);
  }
}

/** Makes a rename or a new file in the folder survive a power cut. Windows has no such call. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** @param position where the first byte goes; undefined: where the last write ended */
async function writeFully(handle: FileHandle, data: Uint8Array, position?: number): Promise<void> {
  for (let done = 0; done < data.byteLength; ) {
    // Linux moves at most 2 GiB at a time.
    const length = Math.min(data.byteLength - done, 1 << 30);
    const at = position === undefined ? null : position + done;
    const { bytesWritten } = await handle.write(data, done, length, at);
    done += bytesWritten;
  }
}

/** What is not complete, or not wanted any more, and the process that it belongs to. */
const TEMPORARY = new RegExp(`^\\..+\\.(${TAG_PATTERN})-[0-9a-f]{8}\\.tmp$`);

/** A name beside `target` that nothing has yet, which {@link sweepTemporaries} knows. */
function temporaryName(target: string): string {
  const unique = `${ownTag()}-${randomBytes(4).toString('hex')}`;
  return path.join(path.dirname(target), `.${path.basename(target)}.${unique}.tmp`);
}

/** A file being written piece by piece, which takes its name only when it is complete. */
export class AtomicFile {
  readonly path: string;
  readonly #temporary: string;
  readonly #handle: FileHandle;

  private constructor(target: string, temporary: string, handle: FileHandle) {
    this.path = target;
    this.#temporary = temporary;
    this.#handle = handle;
  }

  /**
   * Starts a file in a folder that exists.
   *
   * @throws LorafaError `output.not_writable`, here and in every method.
   */
  static async create(target: string): Promise<AtomicFile> {
    const temporary = temporaryName(target);
    return explained(
      target,
      async () => new AtomicFile(target, temporary, await open(temporary, 'wx')),
    );
  }

  /** Appends bytes. */
  async write(data: Uint8Array): Promise<void> {
    await explained(this.path, () => writeFully(this.#handle, data));
  }

  /** Flushes the file and gives it its name, replacing what had that name before. */
  async commit(): Promise<void> {
    await explained(this.path, async () => {
      await this.#handle.sync();
      await this.#handle.close();
      await rename(this.#temporary, this.path);
      await syncFolder(path.dirname(this.path));
    });
  }

  /** Gives up: what was written so far is removed, and what had the name before is untouched. */
  async discard(): Promise<void> {
    // Closing twice is refused, and there is nothing to report about a file nobody wants.
    await this.#handle.close().catch(() => undefined);
    await rm(this.#temporary, { force: true }).catch(() => undefined);
  }
}

/**
 * Writes a file piece by piece and atomically: `produce` writes, and if it throws nothing changes.
 *
 * @throws LorafaError `output.not_writable`, and whatever `produce` throws.
 */
export async function writeAtomically(
  target: string,
  produce: (file: AtomicFile) => Promise<void>,
): Promise<void> {
  const file = await AtomicFile.create(target);
  try {
    await produce(file);
    await file.commit();
  } catch (error) {
    await file.discard();
    throw error;
  }
}

/**
 * Writes a whole file atomically: readers see the old content or the new one, never a part.
 *
 * @throws LorafaError `output.not_writable`.
 */
export async function writeFileAtomic(target: string, data: string | Uint8Array): Promise<void> {
  await writeAtomically(target, (file) =>
    file.write(typeof data === 'string' ? Buffer.from(data) : data),
  );
}

/**
 * Writes a file in the place of its old content, for when {@link writeFileAtomic} finds the disk full:
 * what fits into the blocks that the file has already needs no other. A crash meanwhile damages it.
 *
 * @param text whose meaning blanks at its end do not change
 * @throws LorafaError `output.not_writable`.
 */
export async function overwriteFile(target: string, text: string): Promise<void> {
  await explained(target, async () => {
    const handle = await openPlainFile(target, constants.O_RDWR);
    try {
      // Blanks over the rest, so that at no moment an end of the old content stands behind the new.
      const { size } = await handle.stat();
      const missing = Math.max(0, size - Buffer.byteLength(text));
      await writeFully(handle, Buffer.from(text + ' '.repeat(missing)), 0);
      await handle.sync();
    } finally {
      await handle.close();
    }
  });
}

/** Whether a file could not be written because no room was left. */
export function isDiskFull(error: unknown): boolean {
  const cause = error instanceof LorafaError ? error.cause : error;
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return code === 'ENOSPC' || code === 'EDQUOT';
}

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
 * Copies a file atomically.
 *
 * @throws LorafaError `output.not_writable`; Node's own error when `source` cannot be read.
 */
export async function copyFile(source: string, target: string): Promise<void> {
  const handle = await open(source, 'r');
  try {
    await copyContent(handle, target);
  } finally {
    await handle.close();
  }
}

async function copyContent(source: FileHandle, target: string): Promise<void> {
  await writeAtomically(target, async (file) => {
    const stream = source.createReadStream({ start: 0, autoClose: false, highWaterMark: 1 << 20 });
    for await (const chunk of stream) await file.write(chunk as Uint8Array);
  });
}

/**
 * Makes a folder and those above it; one that exists is fine.
 *
 * @throws LorafaError `output.not_writable`.
 */
export async function ensureFolder(folder: string): Promise<void> {
  await explained(folder, () => makeFolder(folder));
}

/**
 * Makes a folder inside one that exists; one that exists is fine. Where somebody has deleted the outer one
 * meanwhile, it does not come back.
 *
 * @throws LorafaError `output.not_writable`.
 */
export async function addFolder(folder: string): Promise<void> {
  await explained(folder, async () => {
    await mkdir(folder).catch(async (error: unknown) => {
      if (!(await isFolder(folder))) throw error;
    });
  });
}

/** Node's own recursive `mkdir` never returns where the system answers ENOENT, as /proc does. */
async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder);
  } catch (error) {
    if (await isFolder(folder)) return;
    const parent = path.dirname(folder);
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (!isMissing || parent === folder) throw error;
    // Another process may have made it just now.
    if (!(await isFolder(parent))) await makeFolder(parent);
    await mkdir(folder).catch(async (again: unknown) => {
      if (!(await isFolder(folder))) throw again;
    });
  }
}

function isFolder(name: string): Promise<boolean> {
  return stat(name).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

/**
 * Removes a folder or file and all it contains; one that does not exist is fine. A folder loses its
 * name before anything in it goes, so that at no moment a part of it stands under that name.
 *
 * @throws LorafaError `output.not_writable`.
 */
export async function removeFolder(folder: string): Promise<void> {
  await explained(folder, async () => {
    const found = await lstat(folder).catch(unlessMissing);
    if (found === undefined) return;
    if (!found.isDirectory()) return unlink(folder).catch(unlessMissing);
    const aside = temporaryName(folder);
    await rename(folder, aside);
    await rm(aside, { recursive: true, force: true });
  });
}

/**
 * Removes a file, unless it turns out to be wanted. It loses its name first, so that who comes to
 * want it meanwhile finds all of it or nothing, and gets it back where it is wanted.
 *
 * @returns whether it was removed
 * @throws LorafaError `output.not_writable`.
 */
export async function removeFileUnless(
  file: string,
  isWanted: () => Promise<boolean>,
): Promise<boolean> {
  return explained(file, async () => {
    const aside = temporaryName(file);
    const isThere = await rename(file, aside).then(() => true, unlessMissing);
    if (isThere === undefined) return false;
    const isKept = await isWanted();
    if (isKept) await rename(aside, file);
    else await unlink(aside);
    return !isKept;
  });
}

/** Removes a file before anything else happens in this process, which is at its end; one that stays is no harm. */
export function removeFileNow(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // As said above.
  }
}

/**
 * Gives a file a later time of modification, where that can be done.
 *
 * @param time in milliseconds since 1970
 */
export async function advanceTime(file: string, time: number): Promise<void> {
  const found = await stat(file).catch(() => undefined);
  if (found === undefined || found.mtimeMs >= time) return;
  await utimes(file, time / 1000, time / 1000).catch(() => undefined);
}

/**
 * Removes from a folder what processes that are gone left unfinished in it: files that were being
 * written and folders that were being removed. What cannot be removed stays.
 *
 * @param minAgeMs how long nobody may have touched it, for folders in which processes of other
 * computers or containers write, whose ids mean nothing here
 */
export async function sweepTemporaries(folder: string, minAgeMs = 0): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const owner = TEMPORARY.exec(name)?.[1];
    if (owner === undefined || (await isOwnerRunning(owner))) continue;
    const file = path.join(folder, name);
    const touched = await lstat(file).catch(() => undefined);
    if (touched === undefined || Date.now() - touched.mtimeMs < minAgeMs) continue;
    await rm(file, { recursive: true, force: true }).catch(() => undefined);
  }
}

function unlessMissing(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
  throw error;
}

/** Whether a name is one of what {@link sweepTemporaries} removes, once its process is gone. */
export function isTemporaryName(name: string): boolean {
  return TEMPORARY.test(name);
}

/**
 * Removes a folder that holds nothing.
 *
 * @returns whether it did; not where it holds something
 * @throws LorafaError `output.not_writable`.
 */
export async function removeEmptyFolder(folder: string): Promise<boolean> {
  return explained(folder, async () => {
    try {
      await rmdir(folder);
      return true;
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : '';
      if (code === 'ENOTEMPTY' || code === 'EEXIST') return false;
      throw error;
    }
  });
}

/**
 * Gives a complete folder its final name. What has that name already is moved aside, and removed
 * only when the new one has it.
 *
 * @throws LorafaError `output.not_writable`.
 */
export async function renameFolder(source: string, target: string): Promise<void> {
  await explained(target, async () => {
    await syncFolder(source);
    const aside = temporaryName(target);
    const isReplaced = await rename(target, aside).then(() => true, unlessMissing);
    await rename(source, target);
    await syncFolder(path.dirname(target));
    if (isReplaced) await rm(aside, { recursive: true, force: true });
  });
}

/**
 * Gives a folder another name, which nothing has.
 *
 * @throws LorafaError `output.not_writable`, also where something has that name.
 */
export async function moveFolder(source: string, target: string): Promise<void> {
  await explained(target, async () => {
    const found = await lstat(target).catch(unlessMissing);
    if (found !== undefined) throw Object.assign(new Error('exists'), { code: 'EEXIST' });
    await rename(source, target);
    await syncFolder(path.dirname(target));
  });
}

/**
 * Makes a file or folder in a folder of its own beside its place, and gives it its name when all of it
 * is there. Whatever happens before, nothing of it stays, but for the end of the process: then the next one
 * that is made beside it removes what is left.
 *
 * @param make writes it at the path that it is given, which ends in the name of `target`
 * @throws LorafaError `output.not_writable`, also where something has that name; what `make` throws
 */
export async function makeAside<T>(
  target: string,
  make: (staged: string) => Promise<T>,
): Promise<T> {
  const folder = path.dirname(target);
  await ensureFolder(folder);
  await sweepTemporaries(folder);
  const staging = temporaryName(target);
  const staged = path.join(staging, path.basename(target));
  try {
    await explained(target, () => mkdir(staging));
    const made = await make(staged);
    await moveFolder(staged, target);
    return made;
  } finally {
    await rm(staging, { recursive: true, force: true }).catch(() => undefined);
  }
}

/**
 * Moves a file that is complete and flushed, replacing what has the name `target` already; both lie
 * on the same file system.
 *
 * @throws LorafaError `output.not_writable`.
 */
export async function moveFile(source: string, target: string): Promise<void> {
  await explained(target, async () => {
    await rename(source, target);
    await syncFolder(path.dirname(target));
  });
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
