import { lstat, readdir } from 'node:fs/promises';
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
      throw new UnusableCheckpoint(folder, wrongSize(name, found.bytes, expected.bytes), { file });
    }
    if (found.sha256 !== expected.sha256) throw fail('is not what was written');
  }
}

/**
 * Makes sure that the files of a checkpoint are there and as long as they were, which is all that can
 * be told without reading them.
 *
 * @throws UnusableCheckpoint naming the first file that is not
 */
export async function verifySizes(folder: string, files: CheckpointFiles): Promise<void> {
  for (const [name, { bytes }] of Object.entries(files)) {
    const file = path.join(folder, name);
    const found = await lstat(file).catch(() => undefined);
    if (found === undefined) throw new UnusableCheckpoint(folder, `${name} is missing`, { file });
    if (found.size !== bytes)
      throw new UnusableCheckpoint(folder, wrongSize(name, found.size, bytes), { file });
  }
}

function wrongSize(name: string, found: number, written: number): string {
  return `${name} has ${found} bytes and was written with ${written}`;
}
