import { lstat } from 'node:fs/promises';
import path from 'node:path';
import { readBoundedFile } from '../../engine/bounded-file.ts';
import { LorafaError } from '../../engine/errors.ts';
import { moveFolder } from '../../engine/files/folders.ts';
import { removeFolder } from '../../engine/files/remove.ts';
import { CARD_FILE, CURVE_FILE } from '../../engine/lora/adapter.ts';
import { OPTIMIZER_FILE, RESULT_FILES } from '../../engine/train/result-files.ts';
import { RunLock, readLock } from '../../engine/train/run-lock.ts';
import { STATE_FILE } from '../../engine/train/trainer-state.ts';
import { runOfCheckpoint } from '../discovery/find-adapters.ts';
import { isUnchangedCard } from '../publish/model-card.ts';
import { requireEndedRun, tellsOfRun } from '../runs/delete-run.ts';
import { renamedPath, requireNotTaken } from '../runs/folder-name.ts';
import { requireNotOpen } from '../runs/require-not-open.ts';
import { type FolderContents, folderContents } from '../runs/run-contents.ts';
import { goneAdapter } from './gone-adapter.ts';

/** Names of the files of an adapter, and of what a checkpoint has beside it. */
const OWN_FILES = [...RESULT_FILES.adapter, OPTIMIZER_FILE, STATE_FILE];

/** A longer card is nobody's work but somebody's. */
const MAX_CARD_BYTES = 2 ** 20;

/** {@link OWN_FILES}, and a card that was made for the adapter and that nobody has changed. */
async function ownFiles(folder: string): Promise<ReadonlySet<string>> {
  const card = path.join(folder, CARD_FILE);
  const text = await readBoundedFile(card, MAX_CARD_BYTES).catch(() => undefined);
  const isOwn = text !== undefined && isUnchangedCard(text.toString('utf8'));
  return new Set([...OWN_FILES, ...(isOwn ? [CARD_FILE, CURVE_FILE] : [])]);
}

/**
 * What goes with an adapter that is no run's result, or with a checkpoint: its folder, or only its files
 * where there is something else beside them.
 *
 * @param open folders that are open in the editor, which stay
 * @throws LorafaError `adapter.not_found`; `usage.invalid` for the result of a run, which goes with that, and
 * while a run writes there
 */
export async function adapterContents(
  folder: string,
  open: readonly string[] = [],
): Promise<FolderContents> {
  await requireOwnFolder(folder);
  return folderContents(folder, await ownFiles(folder), !open.includes(folder));
}

/** Removes for good what {@link adapterContents} gives. Throws as it does, and `output.not_writable`. */
export async function deleteAdapter(
  folder: string,
  open: readonly string[] = [],
): Promise<FolderContents> {
  const run = await requireOwnFolder(folder);
  const lock = run === undefined ? undefined : await RunLock.acquire(run);
  try {
    const contents = await folderContents(folder, await ownFiles(folder), !open.includes(folder));
    for (const file of contents.own) {
      await lock?.verify();
      await removeFolder(file);
    }
    return contents;
  } finally {
    await lock?.release();
  }
}

/**
 * Gives the folder of an adapter that is no run's another name beside where it lies.
 *
 * @param open folders that are open in the editor, which keep their paths
 * @returns the new path
 * @throws LorafaError as {@link adapterContents}, and `usage.invalid` for a checkpoint, whose name is its step,
 * for a name that cannot be one or is taken, and for a folder that is open or holds one that is
 */
export async function renameAdapter(
  folder: string,
  name: string,
  open: readonly string[] = [],
): Promise<string> {
  const target = renamedPath(folder, name);
  requireNotOpen([folder], open);
  const run = await requireOwnFolder(folder);
  if (run !== undefined) {
    throw refused(folder, `is a checkpoint, whose name is its step; rename its run, ${run}`);
  }
  await requireNotTaken(target);
  await moveFolder(folder, target);
  return target;
}

/** @returns the folder of the run, where it is a checkpoint */
async function requireOwnFolder(folder: string): Promise<string | undefined> {
  const found = await lstat(folder).catch(() => undefined);
  if (found === undefined) throw await goneAdapter(folder);
  if (!found.isDirectory()) {
    throw refused(folder, 'is not a folder of its own; do this with what it leads to, by hand');
  }
  const run = await runOfCheckpoint(folder);
  if (run !== undefined) {
    await requireEndedRun(run);
    return run;
  }
  if ((await readLock(folder)) !== undefined) {
    throw refused(
      folder,
      'is written to by a run that goes on; stop it and wait for its end first',
    );
  }
  if (await tellsOfRun(folder)) {
    throw refused(folder, 'is the folder of a run; do this with the run');
  }
  return undefined;
}

function refused(folder: string, problem: string): LorafaError {
  return new LorafaError('usage.invalid', `${folder} ${problem}.`, { location: { file: folder } });
}
