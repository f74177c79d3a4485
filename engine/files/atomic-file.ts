import { constants } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { openPlainFile } from '../plain-file.ts';
import { syncFolder } from './folders.ts';
import { explained } from './not-writable.ts';
import { temporaryName } from './temporary-name.ts';

/*
 * The engine writes to disk in this folder alone. Whatever appears under its final name is complete: files
 * are written under a temporary name in the same folder, flushed, and renamed.
 */

/** @param position where the first byte goes; undefined: where the last write ended */
export async function writeFully(
  handle: FileHandle,
  data: Uint8Array,
  position?: number,
): Promise<void> {
  for (let done = 0; done < data.byteLength; ) {
    // Linux moves at most 2 GiB at a time.
    const length = Math.min(data.byteLength - done, 1 << 30);
    const at = position === undefined ? null : position + done;
    const { bytesWritten } = await handle.write(data, done, length, at);
    done += bytesWritten;
  }
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
