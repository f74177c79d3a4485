import { LorafaError, messageOf } from '../errors.ts';
import { NotAPlainFile } from '../plain-file.ts';

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

export async function explained<T>(target: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw notWritable(target, error);
  }
}

/** Whether a file could not be written because no room was left. */
export function isDiskFull(error: unknown): boolean {
  const cause = error instanceof LorafaError ? error.cause : error;
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return code === 'ENOSPC' || code === 'EDQUOT';
}
