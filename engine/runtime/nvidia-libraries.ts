import { existsSync } from 'node:fs';
import path from 'node:path';
import koffi, { type LibraryHandle } from 'koffi';
import { NVIDIA_LIBRARIES } from './cuda-folder.ts';
import { requireWholeLibrary } from './whole-library.ts';

/** Libraries are closed with the last reference to them. */
const opened = new Map<string, LibraryHandle>();

/**
 * Opens those of NVIDIA's libraries that are in a folder. The provider, which looks for them by their names
 * alone, then has these: no process needs a library path from the one that starts it. Those that are not there the
 * system may have.
 *
 * @throws Error, mostly in the words of the system, where one cannot be opened
 */
export function openNvidiaLibraries(folder: string): void {
  for (const file of NVIDIA_LIBRARIES.map((name) => path.join(folder, name))) {
    if (opened.has(file) || !existsSync(file)) continue;
    requireWholeLibrary(file);
    opened.set(file, koffi.load(file));
  }
}
