import { type ChartSeries, chartsSvg } from './line-chart.ts';
import { isRowResult, type ResultLine, type RowResult } from './row-result.ts';

/** A group of rows that differ in one size, which their names say: GROUP-SIZE or GROUP-SIZE-MODE. */
interface Scaling {
  readonly group: string;
  readonly xLabel: string;
}

const SCALINGS: readonly Scaling[] = [
  { group: 'length', xLabel: 'tokens in the row' },
  { group: 'batch', xLabel: 'rows of 128 tokens' },
  { group: 'rank', xLabel: 'rank r' },
  { group: 'layers', xLabel: 'layers' },
];

/** Names of modes in a legend. */
const MODE_NAMES: Readonly<Record<string, string>> = {
  none: 'nothing recomputed',
  layer: 'layers recomputed',
};

/** A picture of how a group scales. */
export interface ScalingPlot {
  readonly group: string;
  readonly svg: string;
}

/** Throughput and memory against each size of which more than one was measured. */
export function scalingPlots(lines: readonly ResultLine[]): ScalingPlot[] {
  const rows = lines.filter(isRowResult);
  return SCALINGS.flatMap(({ group, xLabel }) => {
    const members = rows.filter((row) => row.group === group);
    if (members.length < 2) return [];
    const chart = (title: string, value: (row: RowResult) => number) => ({
      title,
      xLabel,
      series: seriesOf(members, value),
    });
    const svg = chartsSvg([
      chart('tokens per second', (row) => row.tokens_per_second),
      chart('peak resident memory, MB', (row) => row.peak_rss_bytes / 1e6),
    ]);
    return [{ group, svg }];
  });
}

function seriesOf(
  rows: readonly RowResult[],
  value: (row: RowResult) => number,
): readonly ChartSeries[] {
  const byMode = new Map<string, { x: number; y: number }[]>();
  for (const row of rows) {
    const [size, mode = 'none'] = row.name.slice(row.group.length + 1).split('-');
    const points = byMode.get(mode) ?? [];
    points.push({ x: Number(size), y: value(row) });
    byMode.set(mode, points);
  }
  return [...byMode].map(([mode, points]) => ({
    name: MODE_NAMES[mode] ?? mode,
    points: points.toSorted((a, b) => a.x - b.x),
  }));
}
