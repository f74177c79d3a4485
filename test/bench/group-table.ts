import { formatCount } from '../../server/format.ts';
import { isRowResult, type ResultLine, type RowResult } from './row-result.ts';
import { textTable } from './text-table.ts';

/** Errors of gradients by the mode that `auto` tried. */
type ModeErrors = Readonly<Record<string, number>>;

const COLUMNS: readonly (readonly [string, (row: RowResult, errors: ModeErrors) => string])[] = [
  [
    '',
    ({ label, compute, gradient_errors }) =>
      gradient_errors === null ? label : `${label} (chose ${compute})`,
  ],
  [
    'step, ms (min to max)',
    ({ step_ms, step_ms_min, step_ms_max }) =>
      `${formatCount(step_ms)} (${formatCount(step_ms_min)} to ${formatCount(step_ms_max)})`,
  ],
  ['tokens/s', ({ tokens_per_second }) => formatCount(tokens_per_second)],
  [
    'of sgemm peak',
    ({ sgemm_fraction: share }) => optional(share, (x) => `${(100 * x).toFixed(0)} %`),
  ],
  [
    'peak RSS, MB (min to max)',
    ({ peak_rss_bytes, peak_rss_bytes_min, peak_rss_bytes_max }) =>
      `${megabytes(peak_rss_bytes)} (${megabytes(peak_rss_bytes_min)} to ${megabytes(peak_rss_bytes_max)})`,
  ],
  ['without files', ({ peak_anonymous_bytes }) => optional(peak_anonymous_bytes, megabytes)],
  ['activations', ({ activation_bytes }) => optional(activation_bytes, megabytes)],
  ['predicted', ({ predicted_bytes }) => optional(predicted_bytes, megabytes)],
  [
    'worst gradient off by',
    ({ compute, gradient_error }, errors) =>
      optional(gradient_error ?? errors[compute ?? ''] ?? null, (x) => x.toExponential(1)),
  ],
  ['samples × steps', ({ samples, steps }) => `${samples} × ${steps / samples}`],
];

/**
 * The rows of a group as a table, with a sentence below for each row that could not be measured. What a
 * mode does to gradients is known where `auto` tried it on the same batch.
 *
 * @param lines those of the group; the peak of sgemm is left out
 */
export function groupTable(lines: readonly ResultLine[]): string {
  const rows = lines.filter(isRowResult);
  const errors = Object.assign({}, ...rows.map(({ gradient_errors }) => gradient_errors ?? {}));
  const table = textTable(
    COLUMNS.map(([name]) => name),
    rows.map((row) => COLUMNS.map(([, cell]) => cell(row, errors))),
  );
  const failures = lines.flatMap((line) =>
    'error' in line ? [`\nNot measured: ${line.label} (${firstLine(line.error)})\n`] : [],
  );
  return [...(rows.length === 0 ? [] : [table]), ...failures].join('');
}

/** Bytes in megabytes (10⁶). */
export function megabytes(bytes: number): string {
  return formatCount(bytes / 1e6);
}

function optional(value: number | null, format: (value: number) => string): string {
  return value === null ? '' : format(value);
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0]!;
}
