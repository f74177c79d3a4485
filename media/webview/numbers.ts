import type { Metric } from '../../extension/runs/history-rows.ts';

const MIB = 2 ** 20;
const GIB = 2 ** 30;

/** A whole number with its groups of digits. */
export function formatCount(value: number): string {
  return Math.round(value).toLocaleString(document.documentElement.lang);
}

/** Four digits that count, as one compares losses and norms. */
export function formatNumber(value: number): string {
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size < 1e-3 || size >= 1e6) return value.toExponential(2);
  return value.toLocaleString(document.documentElement.lang, {
    minimumSignificantDigits: size < 1000 ? 4 : 1,
    maximumSignificantDigits: Math.max(4, Math.ceil(Math.log10(size))),
    useGrouping: size >= 10_000,
  });
}

/** An amount of memory. */
export function formatBytes(bytes: number): string {
  const [value, unit] = bytes < GIB ? [bytes / MIB, 'MiB'] : [bytes / GIB, 'GiB'];
  return `${value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)} ${unit}`;
}

/** How the values of each metric are written. */
export function formatMetric(metric: Metric): (value: number) => string {
  if (metric === 'memory') return formatBytes;
  if (metric === 'tokens_per_second') return formatCount;
  return formatNumber;
}
