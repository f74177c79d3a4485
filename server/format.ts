/** Numbers and durations as people read them. */

export { formatBytes } from '../engine/format-bytes.ts';

/** Seconds as "12 min 05 s", "1 h 03 min", "2 d 04 h"; below a minute "7 s". */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [days, hours, minutes] = [
    Math.floor(whole / 86_400),
    Math.floor(whole / 3_600) % 24,
    Math.floor(whole / 60) % 60,
  ];
  if (days > 0) return `${days} d ${pad(hours)} h`;
  if (hours > 0) return `${hours} h ${pad(minutes)} min`;
  return minutes > 0 ? `${minutes} min ${pad(whole % 60)} s` : `${whole} s`;
}

/** A count with thousands separators: "1,234,567". */
export function formatCount(count: number): string {
  return Math.round(count).toLocaleString('en-US');
}

/** The exponential of a loss, with four digits that count. */
export function formatPerplexity(perplexity: number): string {
  if (perplexity < 1000) return perplexity.toPrecision(4);
  return perplexity < 1e6 ? formatCount(perplexity) : perplexity.toExponential(2);
}

function pad(count: number): string {
  return String(count).padStart(2, '0');
}
