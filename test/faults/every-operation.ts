import type { Attempt, Disturbance, DisturbedRuns, Stage } from './disturbed-runs.ts';

/** Everything that can happen at an operation. */
export const DISTURBANCES: readonly Omit<Disturbance, 'at'>[] = [
  { kind: 'kill' },
  { kind: 'short-kill' },
  { kind: 'short' },
  { kind: 'EIO' },
  { kind: 'EROFS', isLasting: true },
  { kind: 'ENOSPC' },
  { kind: 'ENOSPC', isLasting: true },
];

/** One kind of disturbance at many operations of a scene. */
export interface Row {
  readonly scene: string;
  readonly disturbance: string;
  readonly attempts: number;
  /** For each attempt that went wrong: which, where and how. */
  readonly failures: readonly string[];
}

/** Which operations are disturbed: every `stride`-th, beginning with `first`. */
export interface Choice {
  readonly first: number;
  readonly stride: number;
  /** How many of them; by default all that there are. */
  readonly count?: number;
  /** How many attempts go on at a time. */
  readonly parallel: number;
}

/** Disturbs operation after operation until a run has no more of them. */
export async function disturbEach(
  runs: DisturbedRuns,
  stage: Stage,
  what: Omit<Disturbance, 'at'>,
  { first, stride, count = Number.POSITIVE_INFINITY, parallel }: Choice,
): Promise<Row> {
  const name = `${what.kind}${what.isLasting === true ? ' from then on' : ''}`;
  const attempts: (Attempt & { readonly at: number })[] = [];
  let next = first;
  let isOver = false;
  const work = async (): Promise<void> => {
    while (!isOver && next < first + stride * count) {
      const at = next;
      next += stride;
      const attempt = await runs.attempt(stage, { ...what, at });
      attempts.push({ at, ...attempt });
      isOver ||= attempt.operation === undefined;
    }
  };
  await Promise.all(Array.from({ length: parallel }, work));
  const failures = attempts
    .toSorted((a, b) => a.at - b.at)
    .filter(({ problems }) => problems.length > 0)
    .map(({ at, operation, problems }) => `${name} ${at} (${operation}): ${problems.join('; ')}`);
  return {
    scene: stage.scene.name,
    disturbance: name,
    attempts: attempts.filter(({ operation }) => operation !== undefined).length,
    failures,
  };
}

/** Rows as a table for people. */
export function formatRows(rows: readonly Row[]): string {
  const lines = rows.map(({ scene, disturbance, attempts, failures }) =>
    [scene.padEnd(32), disturbance.padEnd(22), attempts, failures.length].join('  '),
  );
  return ['scene, disturbance, attempts, failures', ...lines].join('\n');
}
