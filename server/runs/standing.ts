import type { RunSummary } from '../protocol/runs.ts';
import { isFinal, type RunStatus } from '../trainer/run-status.ts';
import type { RunStateFile } from '../trainer/state-file.ts';
import type { RunSessions } from './run-sessions.ts';
import { moreTelling, type Session, withEnd } from './session.ts';

/** Where a run stands, and what was tried since; see `RunSummary`. */
export type Standing = Pick<RunSummary, 'status' | 'attempt'>;

/**
 * What journal and state file say together: of a run that goes on, its present session; of one that
 * is over, the session that came to something.
 *
 * @param isHeld whether a process works on the run
 * @returns undefined where neither says anything
 */
export function standingOf(
  stored: RunStateFile | undefined,
  sessions: RunSessions,
  isHeld: boolean,
): Standing | undefined {
  const present = presentSession(stored, sessions, isHeld);
  if (present === undefined) return undefined;
  const { session, before } = present;
  const { status } = session;
  if (isHeld && !isFinal(status.state)) return { status, attempt: null };
  // The journal of a run that goes on again still ends with the end of its earlier part.
  if (isHeld && stored === undefined) {
    return { status: { ...status, state: 'preparing' }, attempt: null };
  }
  const over = withEnd(session, stored?.heartbeat);
  const telling = moreTelling(before, over);
  const { state, since, reason } = over.status;
  return { status: telling.status, attempt: telling === over ? null : { state, since, reason } };
}

/** The latest session that anybody knows of, and the one before it that tells most. */
function presentSession(
  stored: RunStateFile | undefined,
  { latest, earlier }: RunSessions,
  isHeld: boolean,
): { readonly session: Session; readonly before: Session | undefined } | undefined {
  if (stored === undefined) return latest && { session: latest, before: earlier };
  if (latest !== undefined && !isUntoldBy(latest.status, latest.began, stored)) {
    const status = isHeld || isLastWord(stored, latest.status) ? stored.status : latest.status;
    return { session: { ...latest, status }, before: earlier };
  }
  const session = { began: stored.queued, status: stored.status, hasProgressed: false };
  return { session, before: latest && moreTelling(earlier, withEnd(latest)) };
}

/** Whether the session of a state file is a later one than the journal's: it came to no first step. */
function isUntoldBy(told: RunStatus, began: string, { queued, status }: RunStateFile): boolean {
  return queued > began && status.since >= told.since;
}

/**
 * Whether what a trainer stored is newer than what the journal says. Where a disk took no more of the
 * state, it may still have taken the end of the run; and one may have been made of it afterwards.
 */
function isLastWord({ status }: RunStateFile, told: RunStatus): boolean {
  if (!isFinal(told.state)) return true;
  return isFinal(status.state) && status.since >= told.since;
}
