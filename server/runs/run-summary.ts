import { lstat } from 'node:fs/promises';
import path from 'node:path';
import { runCheckpoints } from '../../engine/train/checkpoint-folders.ts';
import type { JournalEntry } from '../../engine/train/journal-entry.ts';
import { RUN_FILES } from '../../engine/train/run-files.ts';
import { readLock } from '../../engine/train/run-lock.ts';
import type { RunSummary } from '../protocol.ts';
import { statusChange } from '../trainer/status-fold.ts';
import { JournalReader } from './journal-reader.ts';
import { initialStatus, isFinal, type RunState, type RunStatus } from './run-status.ts';
import { findStateFile, HEARTBEAT_MS, type RunStateFile } from './state-file.ts';

/** What a run folder tells about its run, and where to reach its trainer. */
export interface FolderReport {
  readonly summary: RunSummary;
  /** Address of the live trainer; null where there is none. */
  readonly address: string | null;
  /** What in the folder is damaged, a sentence for people; null if nothing. */
  readonly damage: string | null;
}

/** A heartbeat that is older than this many periods has stopped. */
const MISSED_HEARTBEATS = 3;

/**
 * Reads all that a run folder says about its run: what its trainer stored if it had one, otherwise
 * what the journal of the command line says. A run that has not ended and whose process is gone has
 * failed, whatever was stored last. What is damaged is left out and told.
 *
 * @param journal kept from call to call, it reads only what is new
 * @returns undefined when the folder holds no run
 * @throws Node's own error where the lock cannot be read
 */
export async function readRunFolder(
  folder: string,
  journal = new JournalStatus(folder),
): Promise<FolderReport | undefined> {
  // Of a folder that was moved or removed, the journal would still tell what it said before.
  if (!(await isThere(folder))) return undefined;
  let state = await findStateFile(folder);
  const holder = await readLock(folder);
  // A trainer takes the lock before it stores anything, and stores its end before it lets go. So
  // with nobody there, what was read first may have changed.
  if (holder === undefined) state = await findStateFile(folder);
  const stored = state.content;
  const known = await knownStatus(stored, holder !== undefined, journal);
  const damage = state.problem ?? journal.problem;
  const status =
    known ??
    (damage === null
      ? await bareStatus(folder)
      : await unknownStatus(folder, holder !== undefined, damage));
  if (status === undefined) return undefined;
  const checkpoints = await runCheckpoints(folder);
  const isLive = holder !== undefined && !isFinal(status.state);
  const isSilent =
    stored !== undefined &&
    Date.now() - Date.parse(stored.heartbeat) > MISSED_HEARTBEATS * HEARTBEAT_MS;
  return {
    summary: {
      folder,
      name: path.basename(folder),
      configFile: stored?.configFile ?? null,
      status: isLive || isFinal(status.state) ? status : crashed(status, stored?.heartbeat),
      isLive,
      isSteerable: isLive && stored !== undefined,
      checkpoints: checkpoints.current,
      abandonedCheckpoints: checkpoints.abandoned,
      problem: isLive && isSilent ? 'The trainer has not been heard of for a while.' : damage,
    },
    address: isLive ? (stored?.address ?? null) : null,
    damage,
  };
}

function isThere(folder: string): Promise<boolean> {
  return lstat(folder).then(
    () => true,
    () => false,
  );
}

/**
 * What a trainer has stored, or else what the journal says. Where a disk took no more of the state,
 * it may still have taken the end of the run.
 */
async function knownStatus(
  stored: RunStateFile | undefined,
  isHeld: boolean,
  journal: JournalStatus,
): Promise<RunStatus | undefined> {
  if (stored === undefined) return journal.read(isHeld);
  if (isHeld || isFinal(stored.status.state)) return stored.status;
  const told = await journal.read(isHeld);
  // Before the first step of a session the journal ends with that of an earlier one.
  const isOfSession = told !== undefined && isFinal(told.state) && told.since >= stored.queued;
  return isOfSession ? told : stored.status;
}

/** How a run is listed whose folder could not be looked at, with the reason why. */
export async function unknownRun(folder: string, problem: string): Promise<RunSummary> {
  return {
    folder,
    name: path.basename(folder),
    configFile: null,
    status: await unknownStatus(folder, false, problem),
    isLive: false,
    isSteerable: false,
    checkpoints: [],
    abandonedCheckpoints: [],
    problem,
  };
}

/**
 * The status of a run of which there is its configuration and a journal without any entry yet, by
 * when it was configured; undefined where there is no such run.
 */
async function bareStatus(folder: string): Promise<RunStatus | undefined> {
  const changed = (name: string): Promise<Date | undefined> =>
    lstat(path.join(folder, name)).then(
      (stats) => (stats.isFile() ? stats.mtime : undefined),
      () => undefined,
    );
  const [configured, journaled] = await Promise.all(
    [RUN_FILES.config, RUN_FILES.journal].map(changed),
  );
  if (configured === undefined || journaled === undefined) return undefined;
  return initialStatus('preparing', momentOf(configured.getTime()));
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

/** The status of a run whose process is gone without having stored an end. */
export function crashed(status: RunStatus, lastHeard = status.since): RunStatus {
  return {
    ...status,
    state: 'failed',
    since: lastHeard,
    reason: {
      code: 'training.crashed',
      message:
        'The process of this run ended without a word, as in a crash or when the computer was switched off; resume it from its last checkpoint or start it again.',
    },
    progress: null,
    etaSeconds: null,
    waitsFor: null,
  };
}

/** The status of runs of the command line, which keep no state file, as their journal tells it. */
export class JournalStatus {
  readonly #journal: JournalReader;
  #status: RunStatus | undefined;

  constructor(folder: string) {
    this.#journal = new JournalReader(folder);
  }

  /** What is wrong with the journal as far as it was read; null if nothing. */
  get problem(): string | null {
    return this.#journal.problem;
  }

  /**
   * Reads on in the journal.
   *
   * @param isHeld whether a process works on the run
   * @returns undefined when there is no journal
   */
  async read(isHeld: boolean): Promise<RunStatus | undefined> {
    for await (const entries of this.#journal.read()) {
      for (const entry of entries) this.#add(entry);
    }
    // The journal of a run that goes on again still ends with the end of its earlier part.
    const isNewPart = isHeld && this.#status !== undefined && isFinal(this.#status.state);
    return isNewPart ? { ...this.#status!, state: 'preparing' } : this.#status;
  }

  #add(entry: JournalEntry): void {
    const { time: heard } = entry;
    const before = this.#status ?? initialStatus('running', heard);
    const state = stateAfter(entry);
    this.#status = {
      ...before,
      ...statusChange(entry),
      heard,
      ...(state !== undefined && { state, since: heard }),
    };
  }
}

function stateAfter({ type }: JournalEntry): RunState | undefined {
  if (type === 'started') return 'running';
  const isEnd =
    type === 'completed' || type === 'stopped' || type === 'cancelled' || type === 'failed';
  return isEnd ? type : undefined;
}
