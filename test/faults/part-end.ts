import { isDeepStrictEqual } from 'node:util';
import type { RunSummary } from '../../server/protocol/runs.ts';
import type { Victim } from './victims.ts';

/** Those whose end may be told to the one who asked for a run. */
const STARTING: ReadonlySet<Victim> = new Set(['command line', 'starter', 'trainer']);

/** Those whom a run does not need once it has begun. */
const STARTERS: ReadonlySet<Victim> = new Set(['starter', 'server']);

/** Why a run fails of which a process was killed, or the one who asked for it. */
const ENDINGS: ReadonlySet<string | undefined> = new Set([
  'training.crashed',
  'training.no_answer',
]);

/** What a part of a run came to. */
export interface PartEnd {
  /** What the one who asked for it was told when it was refused. */
  readonly refusal: string | undefined;
  /** What the list of runs said before, and what the window was told last. */
  readonly before: RunSummary | undefined;
  readonly after: RunSummary | undefined;
  /** Whether it came to its first step. */
  readonly hasBegun: boolean;
  /** The trainer of this part, or of the last one that had any. */
  readonly trainer: number | undefined;
}

/** What should not be so after a part of a run, in which a process was killed or none was. */
export function partProblems(
  victim: Victim | undefined,
  { refusal, before, after, hasBegun }: PartEnd,
): readonly string[] {
  const isRefused = refusal !== undefined && (victim === undefined || !STARTING.has(victim));
  const problems = isRefused ? [`refused: ${refusal}`] : [];
  if (after?.status.state === 'completed') return problems;
  const what = `the run is ${after?.status.state} (${after?.status.reason?.message})`;
  if (victim === undefined) return [...problems, what];
  if (isDeepStrictEqual(before, after)) return problems;
  const isEnded = after?.status.state === 'failed' && ENDINGS.has(after.status.reason?.code);
  // Runs go on without those who started them.
  if (!isEnded || (hasBegun && STARTERS.has(victim))) problems.push(what);
  return problems;
}
