import type {
  ComparedRun,
  ComparisonNews,
  ComparisonRequest,
  ComparisonState,
} from '../../extension/runs/comparison-messages.ts';
import type { ConfigRow } from '../../extension/runs/config-differences.ts';
import type { ComparisonTexts } from '../../extension/runs/run-panel-texts.ts';
import { swatch } from '../charts/curve-line.ts';
import { RunHistory } from '../charts/run-history.ts';
import { configTable } from '../webview/config-table.ts';
import { element, showText } from '../webview/element.ts';
import { connectHost } from '../webview/host.ts';
import { fill, readTexts } from '../webview/texts.ts';
import { ComparisonCharts, curveStyle } from './comparison-charts.ts';

/** The comparison: losses of several runs over each other, and where their configurations differ. */
const texts = readTexts<ComparisonTexts>();
const host = connectHost<ComparisonNews, ComparisonRequest, ComparisonState>();
const saved = host.getState();
const histories = new Map<string, RunHistory>();
let choices = { smoothing: saved?.smoothing ?? 0.9, isLogScale: saved?.isLogScale ?? false };
let runs: readonly ComparedRun[] = [];
let results: readonly ConfigRow[] = [];
let config: readonly ConfigRow[] = [];
let charts: ComparisonCharts | undefined;
let drawn = '';

const chartPlace = element('section');
const onlyDifferences = element('input', {
  attributes: { type: 'checkbox', checked: true },
  on: { change: () => drawTable() },
});
const goneRuns = element('p', { class: 'quiet', attributes: { role: 'status' } });
const table = element('div', { class: 'scrolled' });
document.body.append(
  element('main', {}, [
    chartPlace,
    element('section', {}, [
      element('div', { class: 'toolbar' }, [
        element('h2', { text: texts.runs }),
        element('label', {}, [onlyDifferences, texts.onlyDifferences]),
        element('button', {
          text: texts.exportCsv,
          attributes: { type: 'button' },
          on: { click: () => host.send({ type: 'export' }) },
        }),
      ]),
      goneRuns,
      table,
    ]),
  ]),
);
host.listen(receive);
host.send({ type: 'ready' });

function receive(message: ComparisonNews): void {
  switch (message.type) {
    case 'runs':
      results = message.results;
      showText(
        goneRuns,
        message.gone.length === 0 ? '' : fill(texts.runsGone, message.gone.join(', ')),
      );
      showRuns(message.runs);
      break;
    case 'rows': {
      const history = historyOf(message.folder);
      if (message.isStart) history.clear();
      history.add(message.rows);
      charts?.update();
      break;
    }
    case 'config':
      config = message.rows;
      drawTable();
      break;
  }
}

function showRuns(all: readonly ComparedRun[]): void {
  const names = (list: readonly ComparedRun[]): string =>
    JSON.stringify(list.map(({ folder, name }) => [folder, name]));
  const isSame = names(all) === names(runs);
  runs = all;
  // The columns of another set of runs; those of this one come by themselves.
  if (!isSame) config = [];
  drawTable();
  if (!isSame) drawCharts();
  charts?.setLabels(runs.map(labelOf));
}

function drawCharts(): void {
  charts = undefined;
  chartPlace.replaceChildren();
  if (runs.length === 0) return;
  charts = new ComparisonCharts(
    texts,
    runs.map(({ folder, name }) => ({ name, history: historyOf(folder) })),
    choices,
    keep,
  );
  chartPlace.replaceChildren(charts.root);
  charts.update();
  keep(choices);
}

/** What a run is called: the best one says that, and by what. */
function labelOf({ name, best }: ComparedRun): string {
  return best === null ? name : fill(texts.bestRun, name, best);
}

function historyOf(folder: string): RunHistory {
  const known = histories.get(folder) ?? new RunHistory();
  histories.set(folder, known);
  return known;
}

function keep(chosen: typeof choices): void {
  choices = chosen;
  host.setState({ ...choices, folders: runs.map(({ folder }) => folder) });
}

function drawTable(): void {
  const content = JSON.stringify([runs, results, config, onlyDifferences.checked]);
  // Only when something changed: what is replaced loses the keyboard's focus.
  if (content === drawn) return;
  drawn = content;
  table.replaceChildren();
  if (runs.length === 0) return;
  const columns = runs.map(({ folder, name, best }, index) => {
    const { color, line } = curveStyle(index);
    const link = element(
      'button',
      {
        class: 'link',
        attributes: { type: 'button', title: folder },
        on: { click: () => host.send({ type: 'openRun', folder }) },
      },
      [swatch(color, line), name],
    );
    return element('div', {}, [
      link,
      ...(best === null ? [] : [element('div', { class: 'best quiet', text: best })]),
    ]);
  });
  table.replaceChildren(
    configTable(texts, {
      rows: config,
      columns,
      onlyDifferences: onlyDifferences.checked,
      results,
    }),
  );
}
