import { stat } from 'node:fs/promises';
import { codeOf } from '../bounded-file.ts';
import { LorafaError } from '../errors.ts';

/** The right to write a run folder, as a process that has it sees it. */
export interface WriteLock {
  /**
   * To be called before each write: makes sure that no other process has taken the folder over
   * meanwhile, as happens to one that was halted for long, and that nobody has deleted or moved it:
   * what is written next would make another one. Costs nothing most of the time.
   *
   * @throws LorafaError `output.in_use`, `output.not_found`; from then on nothing may be written
   */
  verify(): Promise<void>;
  /** Lets others write the folder; whatever else happened, a lock of another process stays. */
  release(): Promise<void>;
}

/**
 * So long a holder relies on its last look at the lock. Nobody takes over a lock that was silent
 * for less than several seconds, so a holder that was halted always looks before it writes again.
 */
const LEASE_MS = 1000;

/** Measures by two clocks: one goes on while a process is halted, the other while the machine sleeps. */
export class Lease {
  #time = Date.now();
  #uptime = performance.now();

  renew(): void {
    this.#time = Date.now();
    this.#uptime = performance.now();
  }

  isValid(): boolean {
    const passed = [Date.now() - this.#time, performance.now() - this.#uptime];
    return passed.every((duration) => Math.abs(duration) < LEASE_MS);
  }
}

/** What a process learns that has lost the lock of a run folder. */
export function lostLock(folder: string): LorafaError {
  return new LorafaError(
    'output.in_use',
    `${folder} is no longer this run's: another process has taken it over while this one was halted; go on there, or resume the run when that one has ended.`,
    { location: { file: folder } },
  );
}

/**
 * Tells the folder that stands under a name now from all others. What cannot be looked at just now has no
 * mark.
 *
 * @returns null where there is none
 */
export async function markOfFolder(folder: string): Promise<string | null | undefined> {
  try {
    const { dev, ino, birthtimeNs } = await stat(folder, { bigint: true });
    // Numbers of what was deleted are given again, to a folder of the same name as well.
    return [dev, ino, birthtimeNs].join(' ');
  } catch (error) {
    return ['ENOENT', 'ENOTDIR'].includes(codeOf(error) ?? '') ? null : undefined;
  }
}

/**
 * To be called where the lock of a run folder is missing: somebody may have removed it alone.
 *
 * @param mark of the folder as it was
 * @throws LorafaError `output.not_found`
 */
export async function requireSameFolder(
  folder: string,
  mark: string | null | undefined,
): Promise<void> {
  const now = await markOfFolder(folder);
  if (now === undefined || now === mark) return;
  throw new LorafaError(
    'output.not_found',
    `${folder} was deleted, moved or renamed while its run was going on, which ended the run; put the folder back and resume the run, or start it again.`,
    { location: { file: folder } },
  );
}
