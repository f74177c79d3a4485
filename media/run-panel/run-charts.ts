import type { Metric } from '../../extension/runs/history-rows.ts';
import type { RunPanelTexts } from '../../extension/runs/run-panel-texts.ts';
import { Chart, type CurveStyle } from '../charts/chart.ts';
import { ChartGroup } from '../charts/chart-group.ts';
import { type CurveChoices, curveControls } from '../charts/curve-controls.ts';
import { describeCurve } from '../charts/describe-curve.ts';
import type { RunHistory } from '../charts/run-history.ts';
import { smooth } from '../charts/smoothing.ts';
import { element } from '../webview/element.ts';
import { formatCount, formatMetric } from '../webview/numbers.ts';
import { fill } from '../webview/texts.ts';

const LARGE = 260;
const SMALL = 130;
/** The metrics that have a chart of their own below the losses. */
const SMALL_METRICS = ['learning_rate', 'grad_norm', 'tokens_per_second', 'memory'] as const;

/** All curves of a run: the losses large, everything else small below. */
export class RunCharts {
  readonly root: HTMLElement;
  readonly #history: RunHistory;
  readonly #group: ChartGroup;
  readonly #losses: Chart;
  readonly #others: ReadonlyMap<Metric, Chart>;
  readonly #waiting: HTMLElement;
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
    this.#group = new ChartGroup('run');
    const makeChart = (metric: Metric, height: number, curves: readonly CurveStyle[]): Chart =>
      new Chart({
        group: this.#group,
        title: texts[metric],
        help: texts.chartHelp,
        height,
        curves,
        format: formatMetric(metric),
        formatStep: (step) => fill(texts.stepNumber, formatCount(step)),
        summarize: (all) =>
          all
            .map((points, index) =>
              describeCurve(texts, curves[index]!.label, points, formatMetric(metric)),
            )
            .join(' '),
      });
    this.#losses = makeChart('loss', LARGE, [
      { label: texts.loss, color: 'charts-blue', kind: 'faint' },
      { label: texts.smoothed, color: 'charts-blue', kind: 'line' },
      { label: texts.eval_loss, color: 'charts-orange', kind: 'dots', dash: [6, 3] },
    ]);
    this.#others = new Map(
      SMALL_METRICS.map((metric) => [
        metric,
        makeChart(metric, SMALL, [{ label: texts[metric], color: 'charts-green', kind: 'line' }]),
      ]),
    );
    this.#waiting = element('p', { class: 'quiet waiting', text: texts.waiting });
    this.root = element('section', { attributes: { 'aria-label': texts.charts } }, [
      curveControls(texts, choices, (chosen) => {
        this.#choices = chosen;
        onChoice(chosen);
        this.#applyLogScale();
        this.update();
      }),
      this.#waiting,
      this.#losses.root,
      element(
        'div',
        { class: 'small-charts' },
        [...this.#others.values()].map(({ root }) => root),
      ),
    ]);
    this.#applyLogScale();
  }

  /** Draws what the history holds now, with the next picture. */
  update(): void {
    const loss = this.#history.points('loss');
    const smoothed = { x: loss.x, y: smooth(loss.y, this.#choices.smoothing) };
    this.#losses.setCurves([loss, smoothed, this.#history.points('eval_loss')]);
    for (const [metric, chart] of this.#others) chart.setCurves([this.#history.points(metric)]);
    this.#group.reachTo(this.#history.lastStep);
    this.#waiting.hidden = loss.x.length > 0;
  }

  #applyLogScale(): void {
    this.#losses.setLogScale(this.#choices.isLogScale);
    this.#others.get('grad_norm')!.setLogScale(this.#choices.isLogScale);
  }
}
