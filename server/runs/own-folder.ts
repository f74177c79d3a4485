import { LorafaError } from '../../engine/errors.ts';
import { withWayOut } from '../../engine/files/not-writable.ts';

const FORBIDDEN: ReadonlySet<unknown> = new Set(['EACCES', 'EPERM', 'EROFS']);

/**
 * Does something to the folder of a run that is there: where that is forbidden, another output folder, which
 * is the way out of those who begin a run, is none.
 *
 * @throws LorafaError `output.not_writable`, and what `action` throws
 */
export async function inOwnFolder<T>(folder: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    const cause = error instanceof LorafaError ? error.cause : undefined;
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    if (!(error instanceof LorafaError) || !FORBIDDEN.has(code)) throw error;
    const wayOut = `change the permissions of ${folder}, or copy it to where you may write`;
    throw new LorafaError(error.code, withWayOut(error, wayOut), {
      location: { file: folder },
      cause,
    });
  }
}
