import type { RowLayout } from '../../engine/data/epoch-plan.ts';
import type { PaddingReport } from '../../engine/plan/plan-reports.ts';
import { formatCount } from '../format.ts';

/** How full the rows of batches are, and what `data.packing` does or would do about it. */
export function describePadding({ packing, unpacked, packed }: PaddingReport): string {
  return packing
    ? `${share(packed)} of ${rows(packed)} (${share(unpacked)} of ${rows(unpacked)} without data.packing)`
    : `${share(unpacked)} of ${rows(unpacked)} (${share(packed)} of ${rows(packed)} with data.packing)`;
}

function share({ paddingWaste }: RowLayout): string {
  return `${(100 * paddingWaste).toFixed(1)} %`;
}

function rows({ rows: count }: RowLayout): string {
  return `${formatCount(count)} rows`;
}
