import { lstat, mkdir, open, rename, rm, rmdir, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { explained } from './not-writable.ts';
import { sweepTemporaries, unlessMissing } from './remove.ts';
import { temporaryName } from './temporary-name.ts';

/** Makes a rename or a new file in the folder survive a power cut. Windows has no such call. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Makes a folder and those above it; one that exists is fine.
 *
 * @throws LorafaError `output.not_writable`.
 */
export async function ensureFolder(folder: string): Promise<void> {
  await explained(folder, () => makeFolder(folder));
}

/** Whoever cannot be seen from here, in a container that shares the folder, has as long for a temporary folder. */
const FOREIGN_TEMPORARY_MS = 24 * 60 * 60 * 1000;

/**
 * Makes a folder for temporary files that nobody else may enter. Those of processes that were killed go, a day
 * after they were last used.
 *
 * @param name a part of its name
 * @throws LorafaError `output.not_writable`
 */
export async function temporaryFolder(name: string): Promise<string> {
  const folder = temporaryName(path.join(os.tmpdir(), name));
  await sweepTemporaries(os.tmpdir(), FOREIGN_TEMPORARY_MS);
  // One that is there already is an error: somebody else may have made it.
  await explained(folder, () => mkdir(folder, { mode: 0o700 }));
  return folder;
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
export async function makeFolder(folder: string): Promise<void> {
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
 * that is made beside it removes what is left. Folders that were made for it go too.
 *
 * @param make writes it at the path that it is given, which ends in the name of `target`
 * @throws LorafaError `output.not_writable`, also where something has that name; what `make` throws
 */
export async function makeAside<T>(
  target: string,
  make: (staged: string) => Promise<T>,
): Promise<T> {
  const folder = path.dirname(target);
  const missing = await missingAbove(target);
  const staging = temporaryName(target);
  const staged = path.join(staging, path.basename(target));
  try {
    await ensureFolder(folder);
    await sweepTemporaries(folder);
    await explained(target, () => mkdir(staging));
    const made = await make(staged);
    await moveFolder(staged, target);
    return made;
  } catch (error) {
    await removeStaging(staging);
    // Those that hold something else by now stay.
    for (const each of missing) await rmdir(each).catch(() => undefined);
    throw error;
  } finally {
    await removeStaging(staging);
  }
}

async function removeStaging(staging: string): Promise<void> {
  await rm(staging, { recursive: true, force: true }).catch(() => undefined);
}

/** The folders above a path that are not there, the innermost first. */
async function missingAbove(target: string): Promise<readonly string[]> {
  const missing: string[] = [];
  for (let each = path.dirname(target); !(await isFolder(each)); each = path.dirname(each)) {
    missing.push(each);
    if (path.dirname(each) === each) break;
  }
  return missing;
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
