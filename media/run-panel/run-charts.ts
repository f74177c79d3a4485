import type { Metric } from '../../extension/runs/history-rows.ts';
import type { RunPanelTexts } from '../../extension/runs/run-panel-texts.ts';
import { Chart, type CurveStyle } from '../charts/chart.ts';
import { ChartGroup } from '../charts/chart-group.ts';
import { type CurveChoices, curveControls } from '../charts/curve-controls.ts';
import { describeCurve } from '../charts/describe-curve.ts';
import type { RunHistory } from '../charts/run-history.ts';
import { smooth } from '../charts/smoothing.ts';
import { element, showText } from '../webview/element.ts';
import { axisOf, formatCount, formatMetric } from '../webview/numbers.ts';
import { fill } from '../webview/texts.ts';

/** A curve of the panel: a metric as it is, or smoothed by the user's choice. */
interface PanelCurve extends CurveStyle {
  readonly metric: Metric;
  readonly isSmoothed: boolean;
}

const LARGE = 250;
const SMALL = 120;

/** All curves of a run: the losses large, everything else small below. */
export class RunCharts {
  readonly root: HTMLElement;
  readonly #history: RunHistory;
  readonly #group = new ChartGroup();
  readonly #charts: readonly { readonly chart: Chart; readonly curves: readonly PanelCurve[] }[];
  readonly #logScaled: readonly Chart[];
  readonly #pictures: HTMLElement;
  readonly #empty = element('p', { class: 'quiet empty' });
  #choices: CurveChoices;

  /** @param onChoice called when the user has chosen otherwise than `choices` */
  constructor(
    texts: RunPanelTexts,
    history: RunHistory,
    choices: CurveChoices,
    onChoice: (choices: CurveChoices) => void,
  ) {
    this.#history = history;
    this.#choices = choices;
    const make = (metric: Metric, height: number, curves: readonly PanelCurve[]) => ({
      curves,
      chart: new Chart({
        ...axisOf(metric),
        group: this.#group,
        title: texts[metric],
        help: texts.chartHelp,
        height,
        isSmall: height === SMALL,
        curves,
        format: formatMetric(metric),
        formatStep: (step) => fill(texts.stepNumber, formatCount(step)),
        summarize: (all) =>
          all
            .map((points, index) =>
              describeCurve(texts, curves[index]!.label, points, formatMetric(metric)),
            )
            .join(' '),
      }),
    });
    const line = (metric: Metric): PanelCurve[] => [
      { metric, isSmoothed: false, label: texts[metric], color: 'charts-green', kind: 'line' },
    ];
    const noisy = (metric: Metric, label: string, color: string): PanelCurve[] => [
      { metric, isSmoothed: false, label, color, kind: 'faint' },
      { metric, isSmoothed: true, label: texts.smoothed, color, kind: 'line' },
    ];
    const losses = make('loss', LARGE, [
      ...noisy('loss', texts.training, 'charts-blue'),
      {
        metric: 'eval_loss',
        isSmoothed: false,
        label: texts.evaluation,
        color: 'charts-orange',
        kind: 'dots',
        line: 'dashed',
      },
    ]);
    const gradNorm = make('grad_norm', SMALL, noisy('grad_norm', texts.eachStep, 'charts-green'));
    const others = [
      make('learning_rate', SMALL, line('learning_rate')),
      gradNorm,
      make('tokens_per_second', SMALL, noisy('tokens_per_second', texts.eachStep, 'charts-green')),
      make('memory', SMALL, line('memory')),
    ];
    this.#charts = [losses, ...others];
    this.#logScaled = [losses.chart, gradNorm.chart];
    this.#pictures = element('div', { class: 'pictures', attributes: { hidden: true } }, [
      curveControls(texts, choices, (chosen) => {
        this.#choices = chosen;
        onChoice(chosen);
        this.#applyLogScale();
        this.update();
      }),
      losses.chart.root,
      element(
        'div',
        { class: 'small-charts' },
        others.map(({ chart }) => chart.root),
      ),
    ]);
    this.root = element('section', { attributes: { 'aria-label': texts.charts } }, [
      this.#empty,
      this.#pictures,
    ]);
    this.#applyLogScale();
  }

  /** Says why there are no curves, as long as there are none. */
  explainEmpty(reason: string): void {
    showText(this.#empty, reason);
  }

  /** Draws what the history holds now, with the next picture. */
  update(): void {
    for (const { chart, curves } of this.#charts) {
      chart.setCurves(
        curves.map(({ metric, isSmoothed }) => {
          const { x, y } = this.#history.points(metric);
          return { x, y: isSmoothed ? smooth(y, this.#choices.smoothing) : y };
        }),
      );
    }
    this.#group.reachTo(this.#history.lastStep);
    const isEmpty = this.#history.lastStep === 0;
    this.#empty.hidden = !isEmpty;
    this.#pictures.hidden = isEmpty;
  }

  #applyLogScale(): void {
    for (const chart of this.#logScaled) chart.setLogScale(this.#choices.isLogScale);
  }
}
