import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { codeOf } from '../bounded-file.ts';
import { messageOf } from '../errors.ts';
import { digestFile } from '../formats/file-digest.ts';
import { type CheckpointFiles, STATE_FILE } from './trainer-state.ts';
import { UnusableCheckpoint } from './unusable-checkpoint.ts';

/** Size and SHA-256 of every file of a checkpoint that is being written. */
export async function digestFiles(folder: string): Promise<CheckpointFiles> {
  const files: CheckpointFiles = {};
  for (const name of (await readdir(folder)).toSorted()) {
    if (name !== STATE_FILE) files[name] = await digestFile(path.join(folder, name));
  }
  return files;
}

/**
 * Makes sure that the files of a checkpoint are those that were written.
 *
 * @throws UnusableCheckpoint naming the first file that is not
 */
export async function verifyFiles(folder: string, files: CheckpointFiles): Promise<void> {
  for (const [name, expected] of Object.entries(files)) {
    const file = path.join(folder, name);
    const fail = (problem: string, cause?: unknown): UnusableCheckpoint =>
      new UnusableCheckpoint(folder, `${name} ${problem}`, { file, cause });
    const found = await digestFile(file, 'refuse').catch((error: unknown) => {
      const isMissing = codeOf(error) === 'ENOENT';
      throw fail(isMissing ? 'is missing' : `cannot be read (${messageOf(error)})`, error);
    });
    if (found.bytes !== expected.bytes) {
      throw fail(`has ${found.bytes} bytes and was written with ${expected.bytes}`);
    }
    if (found.sha256 !== expected.sha256) throw fail('is not what was written');
  }
}
