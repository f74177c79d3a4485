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
import { element } from '../webview/element.ts';
import { connectHost } from '../webview/host.ts';
import { readTexts } from '../webview/texts.ts';
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
  drawTable();
  if (isSame) return;
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
  if (runs.length === 0 || content === drawn) return;
  drawn = content;
  const columns = runs.map(({ folder, name }, index) => {
    const { color, line } = curveStyle(index);
    return element(
      'button',
      {
        class: 'link',
        attributes: { type: 'button', title: folder },
        on: { click: () => host.send({ type: 'openRun', folder }) },
      },
      [swatch(color, line), name],
    );
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
