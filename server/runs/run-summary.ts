import path from 'node:path';
import { listCheckpoints } from '../../engine/train/checkpoint-folders.ts';
import { type JournalEntry, RUN_FILES } from '../../engine/train/run-folder.ts';
import { readLock } from '../../engine/train/run-lock.ts';
import type { RunSummary } from '../protocol.ts';
import { statusChange } from '../trainer/status-fold.ts';
import { parseJournalLine } from './journal-entry.ts';
import { LineTail } from './line-tail.ts';
import { initialStatus, isFinal, type RunState, type RunStatus } from './run-status.ts';
import { HEARTBEAT_MS, readStateFile } from './state-file.ts';

/** What a run folder tells about its run, and where to reach its trainer. */
export interface FolderReport {
  readonly summary: RunSummary;
  /** Address of the live trainer; null where there is none. */
  readonly address: string | null;
}

/** A heartbeat that is older than this many periods has stopped. */
const MISSED_HEARTBEATS = 3;

/**
 * Reads all that a run folder says about its run: what its trainer stored if it had one, otherwise
 * what the journal of the command line says. A run that has not ended and whose process is gone has
 * failed, whatever was stored last.
 *
 * @param journal kept from call to call, it reads only what is new
 * @returns undefined when the folder holds no run
 */
export async function readRunFolder(
  folder: string,
  journal = new JournalStatus(folder),
): Promise<FolderReport | undefined> {
  let stored = await readStateFile(folder);
  const holder = await readLock(folder);
  // A trainer takes the lock before it stores anything, and stores its end before it lets go. So
  // with nobody there, what was read first may have changed.
  if (holder === undefined) stored = await readStateFile(folder);
  const status = stored?.status ?? (await journal.read(holder !== undefined));
  if (status === undefined) return undefined;
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
      checkpoints: await listCheckpoints(folder),
      problem: isLive && isSilent ? 'The trainer has not been heard of for a while.' : null,
    },
    address: isLive ? (stored?.address ?? null) : null,
  };
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
  readonly #tail: LineTail;
  #status: RunStatus | undefined;

  constructor(folder: string) {
    this.#tail = new LineTail(path.join(folder, RUN_FILES.journal));
  }

  /**
   * Reads on in the journal.
   *
   * @param isHeld whether a process works on the run
   * @returns undefined when there is no journal
   */
  async read(isHeld: boolean): Promise<RunStatus | undefined> {
    for await (const lines of this.#tail.read()) {
      for (const entry of lines.map(parseJournalLine)) {
        if (entry !== undefined) this.#add(entry);
      }
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
