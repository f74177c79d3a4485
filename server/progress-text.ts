import type { ProgressEvent } from '../engine/train/events.ts';
import { formatBytes, formatDuration } from './cli/format.ts';

/** What is being done, with bytes, rate and time left where it is a download. */
export function progressText({
  task,
  done,
  total,
  rate,
}: Pick<ProgressEvent, 'task' | 'done' | 'total' | 'rate'>): string {
  if (rate === undefined) return task;
  const parts = [`${formatBytes(done)} of ${formatBytes(total)}`];
  if (rate > 0 && done < total) {
    parts.push(`${formatBytes(rate)}/s`, `${formatDuration((total - done) / rate)} left`);
  }
  return `${task}: ${parts.join(', ')}`;
}
