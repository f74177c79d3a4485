import uPlot from 'uplot';
import { throttle } from '../../server/throttle.ts';
import { element } from '../webview/element.ts';
import { formatCount } from '../webview/numbers.ts';
import { align } from './align.ts';
import type { ChartGroup } from './chart-group.ts';
import { bindChartKeys } from './chart-keys.ts';
import { type CurveLine, DASHES, swatch } from './curve-line.ts';
import { downSample } from './down-sample.ts';
import { type CurveKind, lineWidth } from './line-width.ts';
import { nearest } from './nearest.ts';
import type { Points } from './run-history.ts';
import { themeColor } from './theme.ts';

/** How one curve of a chart looks. */
export interface CurveStyle {
  readonly label: string;
  /** Name of a theme colour. */
  readonly color: string;
  readonly kind: CurveKind;
  /** Default: solid. */
  readonly line?: CurveLine;
}

/** How values are laid out beside a chart. */
export interface ValueAxis {
  /** A round value as people read it. */
  readonly formatTick: (value: number) => string;
  /** Whether zero is always shown, so that sizes can be compared by eye. */
  readonly fromZero?: boolean;
  /** The largest value there can be, to which the axis reaches from zero. */
  readonly upTo?: number;
  /** Distances that ticks may have, ascending; default: round decimal numbers. */
  readonly tickSteps?: readonly number[];
}

/** What a chart is made with. */
export interface ChartOptions extends ValueAxis {
  readonly group: ChartGroup;
  readonly title: string;
  /** How to use it, for screen readers and as a tooltip. */
  readonly help: string;
  /** In pixels. */
  readonly height: number;
  readonly curves: readonly CurveStyle[];
  /** Leaves the names of curves to tooltips, where there is no room. */
  readonly isSmall?: boolean;
  /** Whether a curve is interrupted where its value is NaN. */
  readonly hasGaps?: boolean;
  /** A value as people read it. */
  readonly format: (value: number) => string;
  readonly formatStep: (step: number) => string;
  /** What stands below the chart; by default the numbers of steps. */
  readonly places?: Pick<ValueAxis, 'formatTick' | 'tickSteps'>;
  /** What the chart shows, in a sentence, for those who do not see it. */
  readonly summarize: (curves: readonly Points[]) => string;
}

/** Curves over the steps of a run, with hover, zoom and keys. */
export class Chart {
  readonly root: HTMLElement;
  readonly #options: ChartOptions;
  readonly #plot = element('div', {
    class: 'chart-plot',
    attributes: { tabindex: 0, role: 'img' },
  });
  readonly #readout = element('div', { class: 'chart-readout' });
  /** Nobody listens to more than one a second. */
  readonly #describe = throttle(1000, () => {
    this.#plot.setAttribute('aria-label', this.#options.summarize(this.#curves));
  });
  #curves: readonly Points[];
  #labels: readonly string[];
  #isLogScale = false;
  #uplot: uPlot | undefined;

  constructor(options: ChartOptions) {
    this.#options = options;
    const empty: Points = { x: new Float64Array(), y: new Float64Array() };
    this.#curves = options.curves.map(() => empty);
    this.#labels = options.curves.map(({ label }) => label);
    this.#plot.title = options.help;
    // Holds the place while a picture is made anew, so that the page does not jump.
    this.#plot.style.height = `${options.height}px`;
    this.root = element('figure', { class: 'chart' }, [
      element('figcaption', {}, [
        element('span', { class: 'chart-title', text: options.title }),
        this.#readout,
      ]),
      this.#plot,
    ]);
    bindChartKeys(this.#plot, options.group);
    // A screen reader hears the values only while the keys move over them.
    this.#plot.addEventListener('focus', () => this.#readout.setAttribute('aria-live', 'polite'));
    this.#plot.addEventListener('blur', () => this.#readout.removeAttribute('aria-live'));
    new ResizeObserver(() => this.#resize()).observe(this.#plot);
    options.group.add(this);
  }

  /** Takes other values, one curve for each of the options'; drawn with the next picture. */
  setCurves(curves: readonly Points[]): void {
    this.#curves = curves;
    this.#options.group.draw();
  }

  /** Calls the curves something else, in their order. */
  setLabels(labels: readonly string[]): void {
    this.#labels = labels;
    this.#read();
  }

  setLogScale(isLogScale: boolean): void {
    if (isLogScale === this.#isLogScale) return;
    this.#isLogScale = isLogScale;
    this.rebuild();
  }

  /** Makes the picture anew, in the colours of the theme. */
  rebuild(): void {
    this.#uplot?.destroy();
    this.#uplot = undefined;
    this.#options.group.draw();
  }

  /** Called by the group. */
  draw(): void {
    const width = this.#plot.clientWidth;
    if (width === 0) return;
    this.#uplot ??= this.#make(width);
    const { from, to } = this.#options.group.range;
    const columns = Math.ceil(width * devicePixelRatio);
    const visible = this.#curves.map((points) => downSample(points, from, to, columns));
    const data = align(visible, this.#isLogScale ? 0 : undefined);
    const plot = this.#uplot;
    plot.batch(() => {
      plot.setData(data, false);
      plot.setScale('x', { min: from, max: to });
    });
    this.#describe();
    this.showCursor();
  }

  /** Called by the group: puts the vertical line where the cursor is, and shows the values there. */
  showCursor(): void {
    const { cursor } = this.#options.group;
    const plot = this.#uplot;
    if (plot !== undefined) {
      const left = cursor === undefined ? -1 : plot.valToPos(cursor, 'x');
      plot.setCursor({ left, top: left < 0 ? -1 : 0 }, false);
    }
    this.#read();
  }

  #resize(): void {
    const { clientWidth: width } = this.#plot;
    if (width === 0) return;
    if (this.#uplot !== undefined) this.#uplot.setSize({ width, height: this.#options.height });
    this.#options.group.draw();
  }

  #make(width: number): uPlot {
    const {
      group,
      curves,
      height,
      places,
      formatTick,
      fromZero = false,
      upTo,
      hasGaps = false,
      tickSteps,
    } = this.#options;
    const axis: uPlot.Axis = {
      stroke: themeColor('descriptionForeground'),
      grid: {
        stroke: `color-mix(in srgb, ${themeColor('foreground')} 14%, transparent)`,
        width: 1,
      },
      ticks: { show: false },
      font: `11px ${getComputedStyle(document.body).fontFamily}`,
      gap: 4,
    };
    return new uPlot(
      {
        width,
        height,
        legend: { show: false },
        scales: {
          x: { time: false },
          y: {
            distr: this.#isLogScale ? 3 : 1,
            ...(fromZero && { range: fromZeroTo }),
            ...(upTo !== undefined && { range: [0, upTo] }),
          },
        },
        axes: [
          {
            ...axis,
            size: 24,
            ...(places?.tickSteps !== undefined && { incrs: [...places.tickSteps] }),
            values: (_plot, steps) => steps.map(places?.formatTick ?? wholeStep),
          },
          {
            ...axis,
            size: 56,
            ...(tickSteps !== undefined && { incrs: [...tickSteps] }),
            values: (_plot, values) =>
              values.map((value) => (value === null ? '' : formatTick(value))),
          },
        ],
        series: [{}, ...curves.map((curve) => ({ ...seriesOf(curve), spanGaps: !hasGaps }))],
        cursor: {
          y: false,
          points: { show: false },
          drag: { x: true, y: false, setScale: false },
          bind: {
            dblclick: () => () => {
              group.zoom(undefined);
              return null;
            },
          },
        },
        hooks: {
          ready: [(plot) => this.#followMouse(plot)],
          setSelect: [(plot) => this.#select(plot)],
        },
      },
      [[], ...curves.map(() => [])],
      this.#plot,
    );
  }

  /**
   * uPlot tells also of a cursor that only keeps its place while the steps below it move; here the
   * mouse points at a step, which it keeps.
   */
  #followMouse(plot: uPlot): void {
    const { group } = this.#options;
    plot.over.addEventListener('mousemove', ({ clientX }) => {
      group.point(plot.posToVal(clientX - plot.over.getBoundingClientRect().left, 'x'));
    });
    plot.over.addEventListener('mouseleave', () => group.point(undefined));
  }

  #select(plot: uPlot): void {
    const { left, width } = plot.select;
    if (width === 0) return;
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this.#options.group.zoom({
      from: plot.posToVal(left, 'x'),
      to: plot.posToVal(left + width, 'x'),
    });
  }

  /** The values at the cursor, or the latest ones. */
  #read(): void {
    const { group, curves, format, formatStep, isSmall = false } = this.#options;
    const step = group.cursor ?? Number.POSITIVE_INFINITY;
    const found = this.#curves.map((points) => nearest(points, step));
    const parts: Node[] = curves.map(({ color, kind, line = 'solid' }, index) => {
      const label = this.#labels[index]!;
      const point = found[index];
      return element('span', { class: `chart-value ${kind}`, attributes: { title: label } }, [
        swatch(color, line, kind),
        curves.length > 1 && !isSmall ? `${label} ` : '',
        point === undefined || Number.isNaN(point.y) ? '–' : format(point.y),
      ]);
    });
    const at = found[0]?.x;
    if (group.cursor !== undefined && at !== undefined) {
      // Small charts have no room for it, and stand beside a large one that shows it.
      parts.unshift(element('span', { class: isSmall ? 'spoken' : '', text: formatStep(at) }));
    }
    this.#readout.replaceChildren(...parts);
  }
}

function seriesOf({ color, kind, line = 'solid' }: CurveStyle): uPlot.Series {
  const stroke = themeColor(color);
  const isHighContrast = document.body.classList.contains('vscode-high-contrast');
  return {
    stroke,
    width: lineWidth(kind, isHighContrast),
    alpha: kind === 'faint' && !isHighContrast ? 0.4 : 1,
    points: { show: kind === 'dots' || isAlone, size: 6, fill: stroke },
    dash: [...DASHES[line]],
  };
}

/** Of a single point there is no line. */
function isAlone(plot: uPlot, series: number): boolean {
  let count = 0;
  for (const value of plot.data[series]!) if (value !== null) count += 1;
  return count === 1;
}

function fromZeroTo(_plot: uPlot, _lowest: number, highest: number): uPlot.Range.MinMax {
  return [0, 1.1 * highest || 1];
}

/** Steps are whole numbers: a mark between two of them says nothing. */
function wholeStep(step: number): string {
  return Number.isInteger(step) ? formatCount(step) : '';
}
