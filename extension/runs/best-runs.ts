import type { RunConfig, RunSummary } from '../../server/protocol/runs.ts';
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

/** What a loss depends on besides the run itself, by folder: see {@link measuredOn}. */
export type Measured = ReadonlyMap<string, string>;

/**
 * The model and the rows that a run's losses are of, in a word that is the same for runs whose losses
 * can be compared: another vocabulary or other rows make another number.
 */
export function measuredOn(config: RunConfig): string {
  const { model, data, training } = (config ?? {}) as Record<string, Record<string, unknown>>;
  // Which rows are held out of a set depends on the seed.
  const seed = data?.['eval_split'] === undefined ? null : training?.['seed'];
  return JSON.stringify([model?.['base_model_name_or_path'], data, seed]);
}

/**
 * The runs with the lowest evaluation loss, or where no two were evaluated with the lowest loss.
 * Undefined where there are no two values, all of them are the same, or they were not measured on the
 * same rows.
 */
export function bestRuns(runs: RunList, measured: Measured): BestRuns | undefined {
  for (const by of ['eval_loss', 'loss'] as const) {
    const found = runs.flatMap((run) => {
      const value = VALUES[by](run);
      return value !== null && Number.isFinite(value) ? [{ folder: run.folder, value }] : [];
    });
    if (found.length < 2) continue;
    const rows = new Set(found.map(({ folder }) => measured.get(folder)));
    if (rows.size > 1 || rows.has(undefined)) return undefined;
    const lowest = Math.min(...found.map(({ value }) => value));
    const best = found.filter(({ value }) => value === lowest);
    if (best.length === found.length) return undefined;
    return { by, folders: new Set(best.map(({ folder }) => folder)) };
  }
  return undefined;
}
