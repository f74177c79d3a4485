import type { FoundAdapter } from '../../server/protocol/models.ts';
import { type RunList, resultCheckpoint } from '../runs/run-list.ts';

/** How good an adapter was when it was saved. */
export interface AdapterLosses {
  /** Of the last training batch; null where nobody knows. */
  readonly loss: number | null;
  /** On the rows that were held out; null where there are none. */
  readonly evalLoss: number | null;
}

const UNKNOWN: AdapterLosses = { loss: null, evalLoss: null };

/** The losses of a run's result or checkpoint, as the run tells them. */
export function lossesOf(
  { path: folder, checkpointOf }: Pick<FoundAdapter, 'path' | 'checkpointOf'>,
  runs: RunList,
): AdapterLosses {
  const run = runs.find((each) => each.folder === (checkpointOf ?? folder));
  if (run === undefined) return UNKNOWN;
  if (checkpointOf !== null) {
    // The curves are those of the way that the run went since.
    return run.checkpoints.find((each) => each.folder === folder && each.isCurrent) ?? UNKNOWN;
  }
  const { state, resultStep, loss, evalLoss } = run.status;
  if (state !== 'completed') return UNKNOWN;
  return resultStep === null ? { loss, evalLoss } : (resultCheckpoint(run) ?? UNKNOWN);
}
