import type { ProgressEvent } from '../../engine/plan/plan-reports.ts';
import { streamTarget } from './stream-target.ts';
import { textReport } from './train-report.ts';

/** Shows slow preparations on stderr, so that stdout holds nothing but the result. */
export function stderrProgress(): (event: ProgressEvent) => void {
  return textReport(streamTarget(process.stderr));
}
