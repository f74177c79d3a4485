import type { ProgressEvent } from '../engine/plan/plan-reports.ts';
import { formatBytes, formatDuration } from './format.ts';

type Progress = Pick<ProgressEvent, 'task' | 'done' | 'total' | 'rate'>;

/** What is being done, with bytes, rate and time left where it is a download. */
export function progressText(progress: Progress): string {
  const detail = downloadText(progress);
  return detail === undefined ? progress.task : `${progress.task}: ${detail}`;
}

/** Bytes, rate and time left of a download; undefined for anything else. */
export function downloadText({ done, total, rate }: Progress): string | undefined {
  if (rate === undefined) return undefined;
  const parts = [`${formatBytes(done)} of ${formatBytes(total)}`];
  if (rate > 0 && done < total) {
    parts.push(`${formatBytes(rate)}/s`, `${formatDuration((total - done) / rate)} left`);
  }
  return parts.join(', ');
}
