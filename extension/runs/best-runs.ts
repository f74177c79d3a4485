import type { RunSummary } from '../../server/protocol.ts';
import type { RunList } from './run-list.ts';

/** What runs are compared by. */
export type Measure = 'eval_loss' | 'loss';

/** The best of some runs, and by what. */
export interface BestRuns {
  readonly by: Measure;
  /** Folders of all that share the lowest value. */
  readonly folders: ReadonlySet<string>;
}

const VALUES: Readonly<Record<Measure, (run: RunSummary) => number | null>> = {
  eval_loss: ({ status }) => status.evalLoss,
  loss: ({ status }) => status.loss,
};

/**
 * The runs with the lowest evaluation loss, or where no two were evaluated with the lowest loss.
 * Undefined where there are no two values, or all of them are the same.
 */
export function bestRuns(runs: RunList): BestRuns | undefined {
  for (const by of ['eval_loss', 'loss'] as const) {
    const measured = runs.flatMap((run) => {
      const value = VALUES[by](run);
      return value !== null && Number.isFinite(value) ? [{ folder: run.folder, value }] : [];
    });
    if (measured.length < 2) continue;
    const lowest = Math.min(...measured.map(({ value }) => value));
    const best = measured.filter(({ value }) => value === lowest);
    if (best.length === measured.length) return undefined;
    return { by, folders: new Set(best.map(({ folder }) => folder)) };
  }
  return undefined;
}
