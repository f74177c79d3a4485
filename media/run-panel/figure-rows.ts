import { METRICS } from '../../extension/runs/history-rows.ts';
import { align } from '../charts/align.ts';
import type { RunHistory } from '../charts/run-history.ts';

/** A table of as many rows is still read; more are thinned to these. */
const ROWS = 300;

/** What was measured at a step. */
export interface FigureRow {
  readonly step: number;
  /** In the order of `METRICS`; null where there is no value at this very step. */
  readonly values: readonly (number | null)[];
}

/** Rows of a table of a run. */
export interface Figures {
  readonly rows: readonly FigureRow[];
  /** Steps at which something was measured, of which a long run has more than there are rows. */
  readonly measured: number;
}

/**
 * The steps at which something was measured: of a long run {@link ROWS} from the first to the last, and as many
 * evaluations, which lie between them.
 */
export function figuresOf(history: RunHistory): Figures {
  const [steps, ...curves] = align(METRICS.map((metric) => history.points(metric)));
  const all = [...steps.keys()];
  const evaluations = curves[METRICS.indexOf('eval_loss')]!;
  const evaluated = all.filter((index) => evaluations[index] !== null);
  const shown = new Set([...spread(all), ...spread(evaluated)]);
  const rows = [...shown]
    .sort((one, other) => one - other)
    .map((index) => ({
      step: steps[index]!,
      values: curves.map((values) => values[index] ?? null),
    }));
  return { rows, measured: steps.length };
}

/** At most {@link ROWS} of a list, with its first and its last. */
function spread(list: readonly number[]): readonly number[] {
  if (list.length <= ROWS) return list;
  const stride = (list.length - 1) / (ROWS - 1);
  return Array.from({ length: ROWS }, (_, index) => list[Math.round(index * stride)]!);
}
