import type { Metric } from '../../extension/runs/history-rows.ts';
import type { ValueAxis } from '../charts/chart.ts';

const MIB = 2 ** 20;
const GIB = 2 ** 30;
/** Distances between ticks that are round numbers of bytes. */
const BINARY_STEPS = Array.from({ length: 30 }, (_, index) => 2 ** (index + 14));

/** Making a formatter takes longer than using it a hundred times. */
const formatters = new Map<number, Intl.NumberFormat>();

/** A whole number with its groups of digits. */
export function formatCount(value: number): string {
  return formatDigits(Math.round(value), 16);
}

/** Four digits that count, as one compares losses and norms. */
export function formatNumber(value: number): string {
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size < 1e-3 || size >= 1e6) return value.toExponential(2);
  // Trailing zeros stay: numbers below each other are compared by their digits.
  if (size < 1000) return value.toPrecision(4);
  return formatDigits(value, Math.max(4, Math.ceil(Math.log10(size))));
}

/** A number beside an axis: no more digits than it needs. */
export function formatTick(value: number): string {
  const size = Math.abs(value);
  if (value !== 0 && (size < 1e-2 || size >= 1e6)) return value.toExponential().replace('e+', 'e');
  return formatDigits(value, 6);
}

/** An amount of memory. */
export function formatBytes(bytes: number): string {
  if (bytes === 0) return '0';
  const [value, unit] = bytes < GIB ? [bytes / MIB, 'MiB'] : [bytes / GIB, 'GiB'];
  return `${value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)} ${unit}`;
}

/** The value axis of each metric. */
export function axisOf(metric: Metric): ValueAxis {
  switch (metric) {
    case 'memory':
      return { formatTick: formatBytes, fromZero: true, tickSteps: BINARY_STEPS };
    // A rate that hardly falls would have ticks which differ in digits that nobody has room for.
    case 'learning_rate':
    case 'tokens_per_second':
      return { formatTick, fromZero: true };
    default:
      return { formatTick };
  }
}

/** How the values of each metric are written. */
export function formatMetric(metric: Metric): (value: number) => string {
  if (metric === 'memory') return formatBytes;
  if (metric === 'tokens_per_second') return formatCount;
  return formatNumber;
}

function formatDigits(value: number, digits: number): string {
  const known = formatters.get(digits);
  if (known !== undefined) return known.format(value);
  const { lang } = document.documentElement;
  const made = new Intl.NumberFormat(lang, { maximumSignificantDigits: digits });
  formatters.set(digits, made);
  return made.format(value);
}
