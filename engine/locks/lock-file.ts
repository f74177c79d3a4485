import { constants } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { z } from 'zod';
import { codeOf } from '../bounded-file.ts';
import { NotAPlainFile, openPlainFile } from '../plain-file.ts';
import { lifeOf, processMarkSchema } from '../process-mark.ts';

/** How often the holder of a lock says that it lives, by the file's time, in milliseconds. */
export const LOCK_BEAT_MS = 2000;

/** Age from which a lock has fallen silent: many beats, since a busy machine may miss some. */
export const LOCK_SILENT_MS = 30_000;

/** A lock of more bytes than this is none. */
const MAX_BYTES = 4096;

const lockSchema = z.object({
  ...processMarkSchema.shape,
  /** Tells a lock from every other one, also of the same process; absent in locks of version 0.1. */
  token: z.string().exactOptional(),
});

/** What a lock says: the process that holds it. */
export type LockHolder = Readonly<z.infer<typeof lockSchema>>;

/** A lock as it was found. */
export interface LockFile {
  /** Undefined where the content is not that of a lock. */
  readonly holder: LockHolder | undefined;
  /** Time of the last beat by the computer that wrote it, in milliseconds since 1970. */
  readonly beat: number;
  /** Whether it is a file at all: a lock that is being made may be empty, but is a file. */
  readonly isFile: boolean;
}

/**
 * Reads a lock. Whatever has its name, this neither follows a link nor waits.
 *
 * @returns undefined when there is none
 * @throws Node's own error where it cannot be read
 */
export async function readLockFile(file: string): Promise<LockFile | undefined> {
  try {
    const handle = await openPlainFile(file, constants.O_RDONLY);
    try {
      const { mtimeMs } = await handle.stat();
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(MAX_BYTES), 0, MAX_BYTES, 0);
      const holder = lockSchema.safeParse(parseJson(buffer.toString('utf8', 0, bytesRead)));
      return { holder: holder.data, beat: mtimeMs, isFile: true };
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (error instanceof NotAPlainFile) {
      const found = await lstat(file).catch(() => undefined);
      return found && { holder: undefined, beat: found.mtimeMs, isFile: false };
    }
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

/** Whether two looks at a lock saw the same one, without a beat between them. */
export function isUnchanged(before: LockFile, now: LockFile): boolean {
  return before.beat === now.beat && before.holder?.token === now.holder?.token;
}

/**
 * What is known of a lock's holder:
 *
 * - `alive`: the process table says so, however long it has been silent (it may be halted)
 * - `gone`: the process table says so, or there is nothing that could be a lock
 * - `beating`: nobody here can look it up, and it has said lately that it lives
 * - `silent`: nobody here can look it up, and it says nothing
 */
export type HolderState = 'alive' | 'gone' | 'beating' | 'silent';

/** See {@link HolderState}. */
export async function stateOfHolder({ holder, beat, isFile }: LockFile): Promise<HolderState> {
  if (!isFile) return 'gone';
  // A lock appears with its content, but for file systems without hard links.
  if (holder === undefined) return 'silent';
  const life = await lifeOf(holder);
  if (life !== 'unknown') return life;
  // A beat far in the future tells as little as one long ago: some clock was set.
  return Math.abs(Date.now() - beat) < LOCK_SILENT_MS ? 'beating' : 'silent';
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
