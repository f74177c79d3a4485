import type { GpuReading } from '../../extension/runs/gpu-history.ts';
import type { RunPanelTexts } from '../../extension/runs/run-panel-texts.ts';
import { formatDuration } from '../../server/format.ts';
import { Chart, type ValueAxis } from '../charts/chart.ts';
import { ChartGroup } from '../charts/chart-group.ts';
import type { Points } from '../charts/run-history.ts';
import { element } from '../webview/element.ts';
import { axisOf, formatCount } from '../webview/numbers.ts';
import { fill } from '../webview/texts.ts';

const HEIGHT = 120;

/** Distances of marks on the axis of time, in seconds. */
const TIME_STEPS = [10, 30, 60, 120, 300, 600];

type Quantity = Exclude<keyof GpuReading, 'seconds'>;

/** What the GPU of a run did lately, over time: memory, load, temperature and power as far as its driver tells. */
export class GpuCharts {
  readonly root: HTMLElement;
  readonly #group = new ChartGroup();
  readonly #charts: readonly { readonly quantity: Quantity; readonly chart: Chart }[];

  constructor(texts: RunPanelTexts) {
    const make = (quantity: Quantity, label: string, axis: ValueAxis) => {
      const format = axis.formatTick;
      return {
        quantity,
        chart: new Chart({
          ...axis,
          group: this.#group,
          title: label,
          help: texts.chartHelp,
          height: HEIGHT,
          isSmall: true,
          curves: [{ label, color: 'charts-purple', kind: 'line' }],
          format,
          formatStep: formatTime,
          places: { formatTick: formatTime, tickSteps: TIME_STEPS },
          summarize: ([points]) => describe(texts, label, points!, format),
        }),
      };
    };
    const counted = (unit: string): ValueAxis => ({
      formatTick: (value) => `${formatCount(value)} ${unit}`,
      fromZero: true,
    });
    this.#charts = [
      make('usedBytes', texts.gpuMemory, axisOf('memory')),
      make('utilization', texts.gpuLoad, {
        formatTick: (share) => `${formatCount(100 * share)} %`,
        fromZero: true,
      }),
      make('temperature', texts.gpuTemperature, counted('°C')),
      make('power', texts.gpuPower, counted('W')),
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
    for (const { quantity, chart } of this.#charts) {
      const points = pointsOf(readings, quantity);
      chart.root.hidden = points.x.length === 0;
      chart.setCurves([points]);
    }
    this.#group.reachTo(readings.at(-1)?.seconds ?? 0, readings[0]?.seconds);
  }
}

function pointsOf(readings: readonly GpuReading[], quantity: Quantity): Points {
  const told = readings.filter((reading) => reading[quantity] !== null);
  return {
    x: Float64Array.from(told, ({ seconds }) => seconds),
    y: Float64Array.from(told, (reading) => reading[quantity]!),
  };
}

/** Minutes and seconds, as a stopwatch has them. */
function formatTime(seconds: number): string {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

function describe(
  { gpuSummary, chartEmpty }: RunPanelTexts,
  label: string,
  { x, y }: Points,
  format: (value: number) => string,
): string {
  if (x.length === 0) return fill(chartEmpty, label);
  return fill(
    gpuSummary,
    label,
    format(y.at(-1)!),
    format(Math.min(...y)),
    format(Math.max(...y)),
    formatDuration(x.at(-1)! - x[0]!),
  );
}
