import { lstat } from 'node:fs/promises';
import path from 'node:path';
import { LorafaError } from '../../engine/errors.ts';
import { removeEmptyFolder, removeFolder } from '../../engine/files/remove.ts';
import { RUN_FILES } from '../../engine/train/run-files.ts';
import { RunLock, readLock } from '../../engine/train/run-lock.ts';
import { findRunRecord } from '../../engine/train/run-record.ts';
import { readStateFile } from '../trainer/state-file.ts';
import { goneRun } from './gone-run.ts';
import { JournalReader } from './journal-reader.ts';
import { requireNotOpen } from './require-not-open.ts';
import { type RunContents, runContents } from './run-contents.ts';

/** What is left of a run that was deleted. */
export interface DeletedRun {
  /** Bytes that are free now. */
  readonly bytes: number;
  /** What was not the run's and stays, as paths from the folder; the folder is gone if there is none and it is not open. */
  readonly others: readonly string[];
}

/**
 * What a run folder holds that {@link deleteRun} would remove.
 *
 * @throws LorafaError where it would refuse to
 */
export async function deletionOf(
  folder: string,
  open: readonly string[] = [],
): Promise<RunContents> {
  await requireEndedRun(folder);
  const contents = await runContents(folder);
  requireNotOpen(contents.own, open);
  return contents;
}

/**
 * Removes a run that has ended: all that it has written, and its folder if there is nothing else in
 * it. Nothing is followed out of the folder, and what somebody else has put there stays. What tells
 * of the run goes last, so that one of which only a part was removed is still listed.
 *
 * @param open folders that are open in the editor: the run's own stays, empty
 * @throws LorafaError `output.not_found` where there is no such folder; `usage.invalid` where it holds no run, one that
 * goes on, or a checkpoint that is open; `output.in_use`; `output.not_writable`
 */
export async function deleteRun(folder: string, open: readonly string[] = []): Promise<DeletedRun> {
  await requireEndedRun(folder);
  const lock = await RunLock.acquire(folder);
  let contents: RunContents;
  try {
    contents = await runContents(folder);
    requireNotOpen(contents.own, open);
    for (const entry of contents.own) {
      await lock.verify();
      await removeFolder(entry);
    }
  } finally {
    await lock.release();
  }
  const { bytes, others } = contents;
  if (others.length === 0 && !open.includes(folder)) await removeEmptyFolder(folder);
  return { bytes, others };
}

/**
 * Makes sure that a folder is one that a run has written, which has ended. A file whose name is
 * common, as `state.json` is, makes none of it.
 *
 * @throws LorafaError `output.not_found`, `usage.invalid`
 */
export async function requireEndedRun(folder: string): Promise<void> {
  const fail = (problem: string): LorafaError =>
    new LorafaError('usage.invalid', `${folder} ${problem}.`, { location: { file: folder } });
  const found = await lstat(folder).catch(() => undefined);
  if (found === undefined) throw goneRun(folder);
  if (!found.isDirectory()) {
    throw fail('is not a folder of its own; do this with what it leads to, by hand');
  }
  if (!(await tellsOfRun(folder))) {
    throw fail('holds nothing that is surely a run’s; look into it, and do this by hand');
  }
  if ((await readLock(folder)) !== undefined) {
    throw new LorafaError(
      'usage.invalid',
      `The run in ${folder} goes on; stop it and wait for its end first.`,
      { location: { file: folder } },
    );
  }
}

/** Whether a folder holds what only a run writes. */
export async function tellsOfRun(folder: string): Promise<boolean> {
  if ((await readStateFile(folder)) !== undefined) return true;
  if ((await findRunRecord(folder)) !== undefined) return true;
  for await (const entries of new JournalReader(folder).read()) if (entries.length > 0) return true;
  const isFile = (name: string): Promise<boolean> =>
    lstat(path.join(folder, name)).then(
      (stats) => stats.isFile(),
      () => false,
    );
  const areThere = await Promise.all([RUN_FILES.config, RUN_FILES.journal].map(isFile));
  return areThere.every(Boolean);
}
