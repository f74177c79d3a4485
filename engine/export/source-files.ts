import { stat } from 'node:fs/promises';
import { LorafaError } from '../errors.ts';
import type { TensorLocation } from '../formats/tensor-location.ts';

/** Files, and by what is told whether they are what they were. */
export type FileStamps = ReadonlyMap<string, string>;

/** The files that tensors lie in. */
export function filesOf(tensors: Iterable<Pick<TensorLocation, 'file'>>): readonly string[] {
  return [...new Set([...tensors].map(({ file }) => file))];
}

/** What files are now. */
export async function stampsOf(files: readonly string[]): Promise<FileStamps> {
  const stamps = files.map(async (file) => [file, await stampOf(file)] as const);
  return new Map(await Promise.all(stamps));
}

/**
 * Makes sure that files are what they were.
 *
 * @throws LorafaError `model.corrupt`
 */
export async function requireUnchanged(stamps: FileStamps): Promise<void> {
  for (const [file, stamp] of stamps) {
    if ((await stampOf(file)) === stamp) continue;
    throw new LorafaError(
      'model.corrupt',
      `${file} was changed while it was exported, and nothing of the export was kept; leave it as it is until the export is done, and try again.`,
      { location: { file } },
    );
  }
}

async function stampOf(file: string): Promise<string> {
  return stat(file).then(
    ({ size, mtimeMs, ino }) => `${size} ${mtimeMs} ${ino}`,
    () => 'gone',
  );
}
