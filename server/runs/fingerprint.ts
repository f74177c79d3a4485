import { lstat } from 'node:fs/promises';
import path from 'node:path';
import { RUN_FILES } from '../../engine/train/run-files.ts';

/**
 * What tells of changes in a run folder: its journal, which is appended to, and the folder itself,
 * since all else in it appears, goes or is replaced under its name.
 */
const NAMES = ['.', RUN_FILES.journal];

/**
 * What a run folder looks like from outside. As long as that is the same, and no process works on
 * the run, there is nothing in it to read again.
 */
export async function fingerprintOf(folder: string): Promise<string> {
  const marks = await Promise.all(
    NAMES.map((name) =>
      lstat(path.join(folder, name)).then(
        ({ ino, size, mtimeMs }) => `${ino}.${size}.${mtimeMs}`,
        () => '-',
      ),
    ),
  );
  return marks.join(' ');
}
