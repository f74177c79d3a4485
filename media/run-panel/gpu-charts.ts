import type { GpuReading } from '../../extension/runs/gpu-history.ts';
import type { RunPanelTexts } from '../../extension/runs/run-panel-texts.ts';
import { formatDuration } from '../../server/format.ts';
import { Chart, type CurveStyle, type ValueAxis } from '../charts/chart.ts';
import { ChartGroup } from '../charts/chart-group.ts';
import type { Points } from '../charts/run-history.ts';
import { element } from '../webview/element.ts';
import { axisOf, formatBytes, formatCount } from '../webview/numbers.ts';
import { fill } from '../webview/texts.ts';

const HEIGHT = 120;

/** Distances of marks on the axis of time, in seconds. */
const TIME_STEPS = [10, 20, 30, 60, 120, 300, 600];

type Quantity = Exclude<keyof GpuReading, 'seconds'>;

/** A chart, and what its curves show. */
interface GpuChart {
  readonly quantities: readonly Quantity[];
  readonly chart: Chart;
}

/** What the GPU of a run did lately, over time: memory, load, temperature and power as far as its driver tells. */
export class GpuCharts {
  readonly root: HTMLElement;
  readonly #group = new ChartGroup();
  readonly #charts: readonly GpuChart[];

  constructor(texts: RunPanelTexts) {
    const make = (
      label: string,
      format: (value: number) => string,
      curves: Readonly<Partial<Record<Quantity, CurveStyle>>>,
      axis: Omit<ValueAxis, 'formatTick'> = { fromZero: true },
    ): GpuChart => ({
      quantities: Object.keys(curves) as Quantity[],
      chart: new Chart({
        // A longer one would lie above the first mark of time.
        formatTick: (value) => (value === 0 ? '0' : format(value)),
        ...axis,
        group: this.#group,
        title: label,
        help: texts.chartHelp,
        height: HEIGHT,
        isSmall: true,
        hasGaps: true,
        curves: Object.values(curves),
        format,
        formatStep: formatTime,
        places: { formatTick: formatTime, tickSteps: TIME_STEPS },
        summarize: ([points]) => describe(texts, label, points!, format),
      }),
    });
    const counted = (unit: string) => (value: number) => `${formatCount(value)} ${unit}`;
    const percent = (share: number): string => `${formatCount(100 * share)} %`;
    const line = (label: string): CurveStyle => ({ label, color: 'charts-purple', kind: 'line' });
    const limit: CurveStyle = {
      ...line(texts.gpuMemoryAll),
      color: 'descriptionForeground',
      line: 'dashed',
    };
    this.#charts = [
      make(
        texts.gpuMemory,
        formatBytes,
        { usedBytes: line(texts.gpuMemoryUsed), memoryBytes: limit },
        axisOf('memory'),
      ),
      make(texts.gpuLoad, percent, { utilization: line(texts.gpuLoad) }, { upTo: 1 }),
      make(texts.gpuTemperature, counted('°C'), { temperature: line(texts.gpuTemperature) }),
      make(texts.gpuPower, counted('W'), { power: line(texts.gpuPower) }),
    ];
    this.root = element(
      'section',
      { attributes: { 'aria-label': texts.gpuCharts, title: texts.gpuHint, hidden: true } },
      [
        element(
          'div',
          { class: 'small-charts' },
          this.#charts.map(({ chart }) => chart.root),
        ),
      ],
    );
  }

  /** Draws readings, by ascending time; where there are none, there are no charts. */
  show(readings: readonly GpuReading[]): void {
    this.root.hidden = readings.length === 0;
    for (const { quantities, chart } of this.#charts) {
      chart.root.hidden = readings.every((reading) => reading[quantities[0]!] === null);
      chart.setCurves(quantities.map((quantity) => pointsOf(readings, quantity)));
    }
    this.#group.reachTo(readings.at(-1)?.seconds ?? 0, readings[0]?.seconds);
  }
}

function pointsOf(readings: readonly GpuReading[], quantity: Quantity): Points {
  return {
    x: Float64Array.from(readings, ({ seconds }) => seconds),
    y: Float64Array.from(readings, (reading) => reading[quantity] ?? Number.NaN),
  };
}

/** Minutes and seconds, as a stopwatch has them. */
function formatTime(seconds: number): string {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

function describe(
  { gpuSummary, gpuUnknown, chartEmpty }: RunPanelTexts,
  label: string,
  { x, y }: Points,
  format: (value: number) => string,
): string {
  const told = y.filter((value) => !Number.isNaN(value));
  const latest = y.at(-1)!;
  if (told.length === 0) return fill(chartEmpty, label);
  return fill(
    gpuSummary,
    label,
    Number.isNaN(latest) ? gpuUnknown : format(latest),
    format(Math.min(...told)),
    format(Math.max(...told)),
    formatDuration(x.at(-1)! - x[0]!),
  );
}
