import type {
  RunNews,
  RunPanelNews,
  RunPanelRequest,
  RunPanelState,
} from '../../extension/runs/run-panel-messages.ts';
import type { RunPanelTexts } from '../../extension/runs/run-panel-texts.ts';
import { throttle } from '../../server/throttle.ts';
import { bestEvaluation } from '../charts/lowest-point.ts';
import { RunHistory } from '../charts/run-history.ts';
import { element } from '../webview/element.ts';
import { connectHost } from '../webview/host.ts';
import { Tabs } from '../webview/tabs.ts';
import { readTexts } from '../webview/texts.ts';
import { CheckpointList } from './checkpoint-list.ts';
import { ConfigView } from './config-view.ts';
import { figuresTable } from './figures-table.ts';
import { GpuCharts } from './gpu-charts.ts';
import { LogView } from './log-view.ts';
import { RankTable } from './rank-table.ts';
import { RunCharts } from './run-charts.ts';
import { RunHeader } from './run-header.ts';
import { SampleList } from './sample-list.ts';

/** The run panel: everything about one run. It keeps only what the user chose; the extension sends the rest. */
const texts = readTexts<RunPanelTexts>();
const host = connectHost<RunPanelNews, RunPanelRequest, RunPanelState>();
const saved = host.getState();
let choices: Omit<RunPanelState, 'folder'> = {
  smoothing: saved?.smoothing ?? 0.9,
  isLogScale: saved?.isLogScale ?? false,
  ...(saved?.tab !== undefined && { tab: saved.tab }),
};
let news: RunNews | undefined;

const history = new RunHistory();
const header = new RunHeader(texts, host.send);
const ranks = new RankTable(texts);
const charts = new RunCharts(
  texts,
  history,
  { smoothing: choices.smoothing!, isLogScale: choices.isLogScale! },
  (chosen) => keep(chosen),
);
const gpuCharts = new GpuCharts(texts);
const checkpoints = new CheckpointList(texts, (task, folder) =>
  host.send({ type: 'checkpoint', task, folder }),
);
const config = new ConfigView(texts, (folder) => host.send({ type: 'compareConfig', folder }));
const samples = new SampleList(texts);
const log = new LogView(texts);
const figures = element('div', { class: 'scrolled' });
/** Nobody reads hundreds of rows faster than that. */
const drawFiguresSoon = throttle(1000, drawFigures);

document.body.append(
  element('main', {}, [
    header.root,
    ranks.root,
    charts.root,
    gpuCharts.root,
    new Tabs(
      texts.views,
      [
        { id: 'checkpoints', label: texts.checkpoints, content: checkpoints.root },
        { id: 'config', label: texts.config, content: config.root },
        { id: 'samples', label: texts.samples, content: samples.root },
        { id: 'log', label: texts.log, content: log.root },
        { id: 'figures', label: texts.figures, content: figures },
      ],
      choices.tab,
      {
        onSelect: (tab) => {
          keep({ tab });
          drawFigures();
        },
      },
    ).root,
  ]),
);
host.listen(receive);
host.send({ type: 'ready' });

function receive(message: RunPanelNews): void {
  switch (message.type) {
    case 'run':
      news = message;
      if (saved?.folder !== message.run.folder) keep({});
      header.show(message);
      charts.explainEmpty(whyEmpty(message));
      checkpoints.show(message);
      break;
    case 'rows':
      if (message.isStart) history.clear();
      history.add(message.rows);
      charts.update();
      header.showBestEval(bestEvaluation(history.points('eval_loss')));
      drawFiguresSoon();
      break;
    case 'gpu':
      gpuCharts.show(message.readings);
      break;
    case 'facts':
      header.showFacts(message.facts);
      break;
    case 'ranks':
      ranks.show(message.ranks);
      break;
    case 'chat':
      header.showChat(message);
      break;
    case 'warnings':
      header.addWarnings(message.messages, message.isStart);
      break;
    case 'samples':
      samples.add(message.rows, message.isStart);
      break;
    case 'log':
      log.add(message.lines, message.isStart);
      break;
    case 'config':
      config.show(message);
      break;
  }
}

/** Why there are no curves, if there are none. */
function whyEmpty({ run: { isLive, status } }: RunNews): string {
  if (status.state === 'queued') return texts.queued;
  return isLive ? texts.waiting : texts.noSteps;
}

/** Stores the user's choices, and which run the panel is of. */
function keep(chosen: Omit<RunPanelState, 'folder'>): void {
  choices = { ...choices, ...chosen };
  if (news !== undefined) host.setState({ ...choices, folder: news.run.folder });
}

function drawFigures(): void {
  if (choices.tab === 'figures') figures.replaceChildren(figuresTable(texts, history));
}
