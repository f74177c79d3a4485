import { lstat } from 'node:fs/promises';
import path from 'node:path';
import { ADAPTER_FILES } from '../../engine/lora/adapter.ts';
import { runCheckpoints } from '../../engine/train/checkpoint-folders.ts';
import { RUN_FILES } from '../../engine/train/run-files.ts';
import { readLock } from '../../engine/train/run-lock.ts';
import { NO_NOTES } from '../protocol/run-notes-schema.ts';
import type { RunCheckpoint, RunSummary } from '../protocol/runs.ts';
import { initialStatus, isFinal, type RunStatus } from '../trainer/run-status.ts';
import { findStateFile, HEARTBEAT_MS, type RunStateFile } from '../trainer/state-file.ts';
import { readNotes } from './run-notes.ts';
import { RunSessions } from './run-sessions.ts';
import { crashed } from './session.ts';
import { standingOf } from './standing.ts';

/** What a run folder tells about its run, and where to reach its trainer. */
export interface FolderReport {
  readonly summary: RunSummary;
  /** The live trainer, its address and its process; null where there is none. */
  readonly trainer: { readonly address: string; readonly pid: number } | null;
}

/** A heartbeat that is older than this many periods has stopped. */
const MISSED_HEARTBEATS = 3;

/**
 * Reads all that a run folder says about its run: its journal, and what its trainer stored if it had
 * one. A run that has not ended and whose process is gone has failed, whatever was stored last. What
 * is damaged is left out and told.
 *
 * @param sessions kept from call to call, they read only what is new
 * @param told what a trainer has just said of its end, which a full disk may not have taken
 * @returns undefined when the folder holds no run
 * @throws Node's own error where the lock cannot be read
 */
export async function readRunFolder(
  folder: string,
  sessions = new RunSessions(folder),
  told?: RunStatus,
): Promise<FolderReport | undefined> {
  // Of a folder that was moved or removed, the journal would still tell what it said before.
  if (!(await isThere(folder))) return undefined;
  let state = await findStateFile(folder);
  const holder = await readLock(folder);
  // A trainer takes the lock before it stores anything, and stores its end before it lets go. So
  // with nobody there, what was read first may have changed.
  if (holder === undefined) state = await findStateFile(folder);
  const stored = state.content;
  const isHeld = holder !== undefined;
  await sessions.read();
  const damage = state.problem ?? sessions.problem;
  const standing = standingOf(withTold(stored, told), sessions, isHeld);
  const known = standing?.status ?? (await statusWithout(folder, isHeld, damage));
  if (known === undefined) return undefined;
  const isLive = isHeld && !isFinal(known.state);
  const isSilent =
    stored !== undefined &&
    Date.now() - Date.parse(stored.heartbeat) > MISSED_HEARTBEATS * HEARTBEAT_MS;
  const checkpoints = await checkpointsOf(folder, sessions);
  const address = isLive ? stored?.address : undefined;
  return {
    summary: {
      folder,
      name: path.basename(folder),
      configFile: stored?.configFile ?? null,
      status: isLive || isFinal(known.state) ? known : crashed(known, stored?.heartbeat),
      attempt: standing?.attempt ?? null,
      began: sessions.began,
      seconds: sessions.seconds,
      isLive,
      isSteerable: isLive && stored !== undefined,
      checkpoints,
      adapter: await usableAdapter(folder, checkpoints),
      notes: await readNotes(folder),
      unheard: isLive && isSilent ? 'The trainer has not been heard of for a while.' : null,
      problem: damage,
    },
    trainer: address == null ? null : { address, pid: stored!.pid },
  };
}

/** The checkpoints of a run, with what was measured when they were written. */
export async function checkpointsOf(
  folder: string,
  sessions: RunSessions,
): Promise<readonly RunCheckpoint[]> {
  const found = await runCheckpoints(folder);
  return found.map((checkpoint) => ({ ...checkpoint, ...sessions.lossesAt(checkpoint.step) }));
}

/** See `RunSummary.adapter`. */
export async function usableAdapter(
  folder: string,
  checkpoints: readonly RunCheckpoint[],
): Promise<string | null> {
  const usable = checkpoints.filter(({ problem }) => problem === null);
  const newestFirst = usable
    .toReversed()
    .toSorted((a, b) => Number(b.isCurrent) - Number(a.isCurrent))
    .map((checkpoint) => checkpoint.folder);
  for (const place of [folder, ...newestFirst]) if (await holdsAdapter(place)) return place;
  return null;
}

async function holdsAdapter(folder: string): Promise<boolean> {
  for (const name of ADAPTER_FILES) {
    if ((await changeOf(path.join(folder, name))) === undefined) return false;
  }
  return true;
}

/** A trainer's last words are worth more than what it has stored before. */
function withTold(
  stored: RunStateFile | undefined,
  told: RunStatus | undefined,
): RunStateFile | undefined {
  const isNews = stored !== undefined && told !== undefined && !isFinal(stored.status.state);
  return isNews ? { ...stored, status: told } : stored;
}

function statusWithout(
  folder: string,
  isHeld: boolean,
  damage: string | null,
): Promise<RunStatus | undefined> {
  return damage === null ? bareStatus(folder) : unknownStatus(folder, isHeld, damage);
}

/** How a run is listed whose folder could not be looked at, with the reason why. */
export async function unknownRun(folder: string, problem: string): Promise<RunSummary> {
  return {
    folder,
    name: path.basename(folder),
    configFile: null,
    status: await unknownStatus(folder, false, problem),
    attempt: null,
    began: null,
    seconds: 0,
    isLive: false,
    isSteerable: false,
    checkpoints: [],
    adapter: null,
    notes: NO_NOTES,
    unheard: null,
    problem,
  };
}

/**
 * The status of a run of which there is its configuration and a journal without any entry yet, by
 * when it was configured; undefined where there is no such run.
 */
async function bareStatus(folder: string): Promise<RunStatus | undefined> {
  const [configured, journaled] = await Promise.all(
    [RUN_FILES.config, RUN_FILES.journal].map((name) => changeOf(path.join(folder, name))),
  );
  if (configured === undefined || journaled === undefined) return undefined;
  return initialStatus('preparing', momentOf(configured));
}

function isThere(folder: string): Promise<boolean> {
  return lstat(folder).then(
    () => true,
    () => false,
  );
}

/** When a file was changed, in milliseconds; undefined where there is no file of its own. */
function changeOf(file: string): Promise<number | undefined> {
  return lstat(file).then(
    (stats) => (stats.isFile() ? stats.mtimeMs : undefined),
    () => undefined,
  );
}

/** The status of a run whose folder says nothing that can be understood. */
async function unknownStatus(folder: string, isHeld: boolean, problem: string): Promise<RunStatus> {
  const changed = await lstat(folder).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );
  const since = momentOf(changed);
  if (isHeld) return initialStatus('preparing', since);
  const message = `Nothing in ${folder} tells how far this run came (${problem}); start it again.`;
  return { ...initialStatus('failed', since), reason: { code: 'checkpoint.corrupt', message } };
}

/** What a file system has for a time, in milliseconds, may be beyond what ISO 8601 can say. */
function momentOf(time: number): string {
  return new Date(Math.min(Math.max(0, time), Date.now())).toISOString();
}
