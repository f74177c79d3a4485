import type { ChartTexts } from '../../extension/runs/run-panel-texts.ts';
import { Chart, type CurveStyle } from '../charts/chart.ts';
import { ChartGroup } from '../charts/chart-group.ts';
import { type CurveChoices, curveControls } from '../charts/curve-controls.ts';
import { describeCurve } from '../charts/describe-curve.ts';
import type { RunHistory } from '../charts/run-history.ts';
import { smooth } from '../charts/smoothing.ts';
import { CURVE_COLORS } from '../charts/theme.ts';
import { element } from '../webview/element.ts';
import { formatCount, formatNumber, formatTick } from '../webview/numbers.ts';
import { fill } from '../webview/texts.ts';

/** One of the runs whose curves are drawn over each other. */
export interface ComparedCurves {
  readonly name: string;
  readonly history: RunHistory;
}

const HEIGHT = 280;
const LINES = ['solid', 'dashed', 'dotted'] as const;

/** Losses of several runs over each other: of training, smoothed, and of the evaluations. */
export class ComparisonCharts {
  readonly root: HTMLElement;
  readonly #runs: readonly ComparedCurves[];
  readonly #group = new ChartGroup();
  readonly #training: Chart;
  readonly #evaluation: Chart;
  #labels: readonly string[];
  #choices: CurveChoices;

  constructor(
    texts: ChartTexts,
    runs: readonly ComparedCurves[],
    choices: CurveChoices,
    onChoice: (choices: CurveChoices) => void,
  ) {
    this.#runs = runs;
    this.#labels = runs.map(({ name }) => name);
    this.#choices = choices;
    const makeChart = (title: string, kind: CurveStyle['kind']): Chart =>
      new Chart({
        group: this.#group,
        title,
        help: texts.chartHelp,
        height: HEIGHT,
        curves: runs.map(({ name }, index) => ({ label: name, kind, ...curveStyle(index) })),
        format: formatNumber,
        formatTick,
        formatStep: (step) => fill(texts.stepNumber, formatCount(step)),
        summarize: (curves) =>
          curves
            .map((points, index) =>
              describeCurve(texts, this.#labels[index]!, points, formatNumber),
            )
            .join(' '),
      });
    this.#training = makeChart(texts.trainingLossSmoothed, 'line');
    this.#evaluation = makeChart(texts.eval_loss, 'dots');
    const controls = curveControls(texts, choices, (chosen) => {
      this.#choices = chosen;
      onChoice(chosen);
      this.#applyLogScale();
      this.update();
    });
    this.root = element('div', { class: 'charts' }, [
      controls,
      this.#training.root,
      this.#evaluation.root,
    ]);
    this.#applyLogScale();
  }

  /** Names the runs, in their order, with what is to be said of them. */
  setLabels(labels: readonly string[]): void {
    this.#labels = labels;
    for (const chart of [this.#training, this.#evaluation]) chart.setLabels(labels);
  }

  /** Draws what the histories hold now, with the next picture. */
  update(): void {
    this.#training.setCurves(
      this.#runs.map(({ history }) => {
        const { x, y } = history.points('loss');
        return { x, y: smooth(y, this.#choices.smoothing) };
      }),
    );
    this.#evaluation.setCurves(this.#runs.map(({ history }) => history.points('eval_loss')));
    this.#group.reachTo(Math.max(0, ...this.#runs.map(({ history }) => history.lastStep)));
  }

  #applyLogScale(): void {
    this.#training.setLogScale(this.#choices.isLogScale);
    this.#evaluation.setLogScale(this.#choices.isLogScale);
  }
}

/** Colour and line of a run, by its place among the runs; no two of the first 18 have the same. */
export function curveStyle(index: number): Required<Pick<CurveStyle, 'color' | 'line'>> {
  const round = Math.floor(index / CURVE_COLORS.length);
  return {
    color: CURVE_COLORS[index % CURVE_COLORS.length]!,
    line: LINES[(index + round) % LINES.length]!,
  };
}
