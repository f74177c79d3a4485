import { isFinal, type RunStatus } from '../trainer/run-status.ts';

/** What one session of a run came to. */
export interface Session {
  /** When its first step was about to begin, or else when it was first heard of; ISO 8601. */
  readonly began: string;
  readonly status: RunStatus;
  /** Whether it did a step, an evaluation or a checkpoint. */
  readonly hasProgressed: boolean;
}

/**
 * Which of two sessions, both over, tells what came of a run. One that came to nothing takes nothing
 * away from what was there before; a result stays one, unless the run went further and was saved.
 */
export function moreTelling(earlier: Session | undefined, later: Session): Session {
  if (earlier === undefined || later.status.state === 'completed') return later;
  if (earlier.status.state === 'completed') {
    return later.status.state === 'stopped' && later.hasProgressed ? later : earlier;
  }
  return later.hasProgressed || !earlier.hasProgressed ? later : earlier;
}

/**
 * A session that is over, whose end may not have been told.
 *
 * @param lastHeard when it was last heard of, if that is known better than from its status
 */
export function withEnd(session: Session, lastHeard?: string): Session {
  const { status } = session;
  return isFinal(status.state)
    ? session
    : { ...session, status: crashed(status, lastHeard ?? status.heard ?? status.since) };
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
