/** A line of a chart. */
export interface ChartSeries {
  readonly name: string;
  /** By rising x; at least one. */
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

/** A chart with linear axes that begin at 0. */
export interface LineChart {
  readonly title: string;
  readonly xLabel: string;
  /** At least one. */
  readonly series: readonly ChartSeries[];
}

const WIDTH = 380;
const HEIGHT = 260;
/** Room for the title, the numbers and the label of the x axis. */
const PLOT = { left: 52, right: WIDTH - 24, top: 56, bottom: HEIGHT - 40 };

/** Steps between numbers on an axis, at most. */
const MAX_TICKS = 5;

/**
 * Charts beside each other as one SVG picture. It has the colours of light or dark paper, as the
 * reader's system prefers.
 */
export function chartsSvg(charts: readonly LineChart[]): string {
  const width = charts.length * WIDTH;
  const body = charts
    .map(
      (chart, index) => `<g transform="translate(${index * WIDTH} 0)">\n${drawChart(chart)}</g>\n`,
    )
    .join('');
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${HEIGHT}" width="${width}" height="${HEIGHT}">
<style>
:root { --ink: #24292f; --faint: #d0d7de; --line-0: #0969da; --line-1: #bc4c00; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #d1d7e0; --faint: #3d444d; --line-0: #58a6ff; --line-1: #f0883e; }
}
text { font: 12px system-ui, sans-serif; fill: var(--ink); }
.title { font-weight: 600; font-size: 13px; }
.grid { stroke: var(--faint); }
.line { fill: none; stroke-width: 2; }
.line-0 { stroke: var(--line-0); } .line-1 { stroke: var(--line-1); stroke-dasharray: 6 3; }
.dot-0 { fill: var(--line-0); } .dot-1 { fill: var(--line-1); }
</style>
${body}</svg>
`;
}

function drawChart({ title, xLabel, series }: LineChart): string {
  const points = series.flatMap((each) => each.points);
  const xTicks = [...new Set(points.map(({ x }) => x))];
  const yTicks = axisTicks(Math.max(...points.map(({ y }) => y)));
  const xScale = scale(Math.max(...xTicks), PLOT.left, PLOT.right);
  const yScale = scale(yTicks.at(-1)!, PLOT.bottom, PLOT.top);
  const parts = [
    text(12, 20, title, 'class="title"'),
    ...yTicks.flatMap((tick) => [
      `<line class="grid" x1="${PLOT.left}" x2="${PLOT.right}" y1="${yScale(tick)}" y2="${yScale(tick)}"/>`,
      text(PLOT.left - 6, yScale(tick) + 4, tick.toLocaleString('en-US'), 'text-anchor="end"'),
    ]),
    ...readableTicks(xTicks, xScale).map((tick) =>
      text(xScale(tick), PLOT.bottom + 16, tick.toLocaleString('en-US'), 'text-anchor="middle"'),
    ),
    text((PLOT.left + PLOT.right) / 2, HEIGHT - 8, xLabel, 'text-anchor="middle"'),
    ...series.flatMap(({ name, points }, index) => [
      `<polyline class="line line-${index}" points="${points.map(({ x, y }) => `${xScale(x)},${yScale(y)}`).join(' ')}"/>`,
      ...points.map(
        ({ x, y }) =>
          `<circle class="dot-${index}" cx="${xScale(x)}" cy="${yScale(y)}" r="3"><title>${escapeXml(`${name}: ${x.toLocaleString('en-US')}, ${y.toLocaleString('en-US', { maximumSignificantDigits: 5 })}`)}</title></circle>`,
      ),
      ...(series.length > 1 ? legend(name, index) : []),
    ]),
  ];
  return parts.map((part) => `${part}\n`).join('');
}

function legend(name: string, index: number): string[] {
  const x = PLOT.left + index * 160;
  return [
    `<line class="line line-${index}" x1="${x}" x2="${x + 20}" y1="38" y2="38"/>`,
    text(x + 26, 42, name),
  ];
}

function text(x: number, y: number, content: string, attributes = ''): string {
  return `<text x="${x}" y="${y}" ${attributes}>${escapeXml(content)}</text>`;
}

/** Maps 0 to `from` and `max` to `to`, in tenths of a pixel. */
function scale(max: number, from: number, to: number): (value: number) => number {
  return (value) => Math.round(10 * (from + (value / max) * (to - from))) / 10;
}

/** Round numbers from 0 to the first that is not below `max`. */
function axisTicks(max: number): number[] {
  const magnitude = 10 ** Math.floor(Math.log10(max / MAX_TICKS));
  const step = [1, 2, 5, 10].map((x) => x * magnitude).find((x) => max / x <= MAX_TICKS)!;
  const count = Math.ceil(max / step);
  return Array.from({ length: count + 1 }, (_, index) => index * step);
}

/** Those of the values whose numbers have room, from the largest down. */
function readableTicks(values: readonly number[], xScale: (x: number) => number): number[] {
  const shown: number[] = [];
  for (const value of values.toSorted((a, b) => b - a)) {
    const last = shown.at(-1);
    if (last === undefined || xScale(last) - xScale(value) >= 34) shown.push(value);
  }
  return shown;
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
