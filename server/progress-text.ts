import type { ProgressEvent } from '../engine/train/events.ts';
import { formatBytes, formatDuration } from './cli/format.ts';

type Progress = Pick<ProgressEvent, 'task' | 'done' | 'total' | 'rate'>;

/** What is being done, with bytes, rate and time left where it is a download. */
export function progressText(progress: Progress): string {
  const detail = downloadText(progress);
  return detail === undefined ? progress.task : `${progress.task}: ${detail}`;
}

/** Bytes, rate and time left of a download; undefined for anything else. */
export function downloadText({ done, total, rate }: Progress): string | undefined {
  if (rate === undefined) return undefined;
  const parts = [`${formatSize(done)} of ${formatSize(total)}`];
  if (rate > 0 && done < total) {
    parts.push(`${formatSize(rate)}/s`, `${formatDuration((total - done) / rate)} left`);
  }
  return parts.join(', ');
}

/** As {@link formatBytes}, and what is less than a MiB in KiB: it is seen to grow. */
export function formatSize(bytes: number): string {
  return bytes < 2 ** 20 ? `${Math.round(bytes / 2 ** 10)} KiB` : formatBytes(bytes);
}
