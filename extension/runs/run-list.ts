import type { RunCheckpoint, RunSummary } from '../../server/protocol/runs.ts';
import { isFinal } from '../../server/trainer/run-status.ts';
import { byName } from '../by-name.ts';

/** Every run that the window knows, the live ones first, then the latest first. */
export type RunList = readonly RunSummary[];

/** Puts runs into the order in which people see them. */
export function sortRuns(runs: RunList): RunList {
  return runs.toSorted(
    (a, b) =>
      Number(b.isLive) - Number(a.isLive) ||
      b.status.since.localeCompare(a.status.since) ||
      byName(a.name, b.name),
  );
}

/** The list with runs that are new or have changed, by their folders, and without those that are gone. */
export function withNews(runs: RunList, news: ReadonlyMap<string, RunSummary | null>): RunList {
  const told = [...news.values()].filter((run) => run !== null);
  return sortRuns([...runs.filter(({ folder }) => !news.has(folder)), ...told]);
}

/**
 * The runs that have come to their end since an earlier look at them.
 *
 * @param liveBefore folders of the runs that were live at that time
 */
export function endedRuns(liveBefore: ReadonlySet<string>, runs: RunList): RunList {
  return runs.filter(({ folder, status }) => liveBefore.has(folder) && isFinal(status.state));
}

/** Whether the runs of two lists have the same checkpoints. */
export function haveSameCheckpoints(before: RunList, after: RunList): boolean {
  const foldersOf = (runs: RunList): ReadonlySet<string> =>
    new Set(runs.flatMap(({ checkpoints }) => checkpoints.map(({ folder }) => folder)));
  const [was, is] = [foldersOf(before), foldersOf(after)];
  return was.size === is.size && [...was].every((folder) => is.has(folder));
}

/** How the last session of a run ended, whatever an earlier one came to. */
export function outcomeOf({ status, attempt }: RunSummary): NonNullable<RunSummary['attempt']> {
  return attempt ?? status;
}

/** Whether a run did all of its steps, so that there is nothing left to go on with. */
export function isThrough({ status, attempt }: Pick<RunSummary, 'status' | 'attempt'>): boolean {
  return status.state === 'completed' && status.step >= status.maxSteps && attempt === null;
}

/** The checkpoint that is the result of a run already; undefined where none is, or nobody can tell. */
export function resultCheckpoint({
  status: { state, step, resultStep },
  folder,
  adapter,
  checkpoints,
}: RunSummary): RunCheckpoint | undefined {
  if (state !== 'completed' || adapter !== folder) return undefined;
  const of = resultStep ?? step;
  return checkpoints.find((checkpoint) => checkpoint.isCurrent && checkpoint.step === of);
}

/** What can be asked of a run in its state; what `when` clauses and buttons go by. */
export interface RunAbilities {
  readonly canPause: boolean;
  readonly canResume: boolean;
  readonly canStop: boolean;
  /** Write a checkpoint and go on. */
  readonly canCheckpoint: boolean;
  /** End at once and drop what was done since the last checkpoint. */
  readonly canDiscard: boolean;
  /** Go on from one of its checkpoints. */
  readonly canResumeFromCheckpoint: boolean;
  /** Begin anew, since there is nothing yet to go on from. */
  readonly canStartAgain: boolean;
  /** Make one of its checkpoints its result, which it is not yet. */
  readonly canFinish: boolean;
  /** Try and pass on what it has learned, be it of its last checkpoint. */
  readonly canUseAdapter: boolean;
  /** Begin a new run with what it has learned. */
  readonly canTrainFurther: boolean;
  /** Delete it, or give it another name. */
  readonly canChange: boolean;
}

/** See {@link RunAbilities}. */
export function abilitiesOf(run: RunSummary): RunAbilities {
  const { status, attempt, isLive, isSteerable, checkpoints, adapter } = run;
  const result = resultCheckpoint(run);
  const canGoOn = !isLive && !isThrough({ status, attempt });
  const { state } = status;
  const hasCheckpoint = checkpoints.length > 0;
  return {
    canPause: isSteerable && state === 'running',
    canResume: isSteerable && (state === 'paused' || state === 'pausing'),
    canStop: isSteerable && state !== 'stopping',
    canCheckpoint: isSteerable && (state === 'running' || state === 'paused'),
    canDiscard: isSteerable && state !== 'queued',
    canResumeFromCheckpoint: canGoOn && hasCheckpoint,
    canStartAgain: canGoOn && !hasCheckpoint,
    canFinish: !isLive && checkpoints.some((each) => each.problem === null && each !== result),
    canUseAdapter: adapter !== null,
    canTrainFurther: !isLive && adapter !== null,
    canChange: !isLive,
  };
}
