import type { MetricRow } from '../runs/run-metrics.ts';

/** A point of a curve. */
interface Point {
  readonly step: number;
  readonly loss: number;
}

/** A line of the picture. */
interface Line {
  readonly name: string;
  readonly points: readonly Point[];
  readonly kind: 'train' | 'eval';
}

const WIDTH = 720;
const HEIGHT = 320;
/** Where the curves are, within the numbers. */
const PLOT = { left: 56, right: WIDTH - 20, top: 44, bottom: HEIGHT - 44 };
/** As many as the picture has room for. */
const MOST_POINTS = 300;
/** Of a line with fewer points each is shown: what is between them was never measured. */
const FEW_POINTS = 30;
/** Losses beyond are drawn there: the way from one to the other is still a number. */
const LARGEST_LOSS = 1e300;
/** Radius of a dot. */
const DOT = { train: 2.5, eval: 3.5 } as const;
/** Numbers on an axis. */
const TICKS = 6;

/**
 * The loss over the steps of a run as an SVG picture: of the training rows, and of those that were held out. It has
 * paper of its own, since pages of the Hub are light or dark whatever the reader's system prefers.
 *
 * @param step that of the adapter, which is marked
 * @returns undefined where there is nothing to be drawn
 */
export function lossCurve(rows: readonly MetricRow[], step: number | null): string | undefined {
  const train = thinned(pointsOf(rows, 'loss'));
  const held = thinned(pointsOf(rows, 'eval_loss'));
  const lines: readonly Line[] = [
    { name: 'training loss', points: train, kind: 'train' as const },
    { name: 'held-out loss', points: held, kind: 'eval' as const },
  ].filter(({ points }) => points.length > 0);
  const all = lines.flatMap(({ points }) => points);
  const last = Math.max(...all.map((each) => each.step));
  if (!all.some((each) => each.step !== all[0]!.step)) return undefined;
  const losses = all.map(({ loss }) => loss);
  const yTicks = ticks(Math.min(...losses), Math.max(...losses));
  const xTicks = ticks(0, last).filter((tick) => tick <= last && Number.isInteger(tick));
  const x = scale([0, last], [PLOT.left, PLOT.right]);
  const y = scale([yTicks[0]!, yTicks.at(-1)!], [PLOT.bottom, PLOT.top]);
  const parts = [
    `<rect width="${WIDTH}" height="${HEIGHT}" rx="6" fill="#ffffff" stroke="#d0d7de"/>`,
    ...yTicks.flatMap((tick) => [
      `<line class="grid" x1="${PLOT.left}" x2="${PLOT.right}" y1="${y(tick)}" y2="${y(tick)}"/>`,
      text(PLOT.left - 8, y(tick) + 4, numberOf(tick), 'end'),
    ]),
    ...xTicks.map((tick) => text(x(tick), PLOT.bottom + 18, numberOf(tick), 'middle')),
    text((PLOT.left + PLOT.right) / 2, HEIGHT - 10, 'step', 'middle'),
    ...(step === null || step > last ? [] : markOf(x(step), step)),
    ...lines.map(({ points, kind }) => {
      const places = points.map((each) => `${x(each.step)},${y(each.loss)}`).join(' ');
      return `<polyline class="${kind}" points="${places}"/>`;
    }),
    ...lines.flatMap(({ points, kind }) =>
      points.length < FEW_POINTS
        ? points.map(
            (each) =>
              `<circle class="${kind}" cx="${x(each.step)}" cy="${y(each.loss)}" r="${DOT[kind]}"/>`,
          )
        : [],
    ),
    ...lines.flatMap(({ name, kind }, index) => legend(name, kind, PLOT.left + 150 * index)),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img">
<title>Loss over the steps of the run</title>
<style>
text { font: 12px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #24292f; }
.grid { stroke: #d8dee4; }
.train { fill: none; stroke: #8c959f; stroke-width: 1.5; }
.eval { fill: none; stroke: #0969da; stroke-width: 2.5; }
circle.train { fill: #8c959f; stroke: none; }
circle.eval { fill: #0969da; stroke: none; }
.mark { stroke: #1a7f37; stroke-width: 1.5; stroke-dasharray: 5 4; }
</style>
${parts.join('\n')}
</svg>
`;
}

function pointsOf(rows: readonly MetricRow[], column: 'loss' | 'eval_loss'): readonly Point[] {
  return rows.flatMap(({ step, [column]: loss }) =>
    typeof step === 'number' && typeof loss === 'number' && !Number.isNaN(loss)
      ? [{ step, loss: Math.min(LARGEST_LOSS, Math.max(-LARGEST_LOSS, loss)) }]
      : [],
  );
}

/** Means of neighbours, where there are more points than can be seen. */
function thinned(points: readonly Point[]): readonly Point[] {
  if (points.length <= MOST_POINTS) return points;
  return Array.from({ length: MOST_POINTS }, (_, index) => {
    const [from, to] = [index, index + 1].map((at) =>
      Math.floor((at * points.length) / MOST_POINTS),
    );
    const group = points.slice(from, to);
    const loss = group.reduce((sum, each) => sum + each.loss, 0) / group.length;
    return { step: group.at(-1)!.step, loss };
  });
}

/** Round numbers from the first that is not above `min` to the first that is not below `max`. */
function ticks(min: number, max: number): readonly number[] {
  const span = max - min || Math.abs(max) || 1;
  const magnitude = 10 ** Math.floor(Math.log10(span / TICKS));
  const step = [1, 2, 5, 10].map((each) => each * magnitude).find((each) => span / each <= TICKS)!;
  const [from, to] = [Math.floor(min / step), Math.ceil(max / step)];
  return Array.from({ length: Math.max(2, to - from + 1) }, (_, index) => (from + index) * step);
}

/** Maps one range to another, in tenths of a pixel. */
function scale(
  [from, to]: readonly [number, number],
  [start, end]: readonly [number, number],
): (value: number) => number {
  return (value) => Math.round(10 * (start + ((value - from) / (to - from)) * (end - start))) / 10;
}

function numberOf(value: number): string {
  // Beyond that there is no room for the digits.
  return Math.abs(value) >= 1e9
    ? Number(value.toPrecision(6)).toExponential().replace('e+', 'e')
    : value.toLocaleString('en-US', { maximumSignificantDigits: 6 });
}

function markOf(x: number, step: number): readonly string[] {
  // Beside the line, on the side that has room.
  const isRight = x > (PLOT.left + PLOT.right) / 2;
  return [
    `<line class="mark" x1="${x}" x2="${x}" y1="${PLOT.top}" y2="${PLOT.bottom}"/>`,
    text(
      x + (isRight ? -6 : 6),
      PLOT.top + 12,
      `this adapter (step ${numberOf(step)})`,
      isRight ? 'end' : 'start',
    ),
  ];
}

function legend(name: string, kind: string, x: number): readonly string[] {
  return [
    `<line class="${kind}" x1="${x}" x2="${x + 22}" y1="24" y2="24"/>`,
    text(x + 30, 28, name, 'start'),
  ];
}

function text(x: number, y: number, content: string, anchor: 'start' | 'middle' | 'end'): string {
  return `<text x="${x}" y="${y}" text-anchor="${anchor}">${content}</text>`;
}
