import type {
  DataPreviewNews,
  DataPreviewRequest,
  DataPreviewState,
} from '../../extension/data-preview/data-preview-messages.ts';
import type { DataPreviewTexts } from '../../extension/data-preview/data-preview-texts.ts';
import { PAGE_ROWS } from '../../extension/data-preview/pages.ts';
import type { PreviewState } from '../../server/protocol/data.ts';
import { element, showText } from '../webview/element.ts';
import { connectHost } from '../webview/host.ts';
import { fill, readTexts } from '../webview/texts.ts';
import { describePosition } from './position.ts';
import { progressView } from './progress-view.ts';
import { showReport } from './report-view.ts';
import { type OpenRow, rowView } from './row-view.ts';

/** The data preview: a page of rows, token by token, with what became of all rows. */
const texts = readTexts<DataPreviewTexts>();
const host = connectHost<DataPreviewNews, DataPreviewRequest, DataPreviewState>();
/** How long a person pauses between two words. */
const SEARCH_PAUSE_MS = 300;
let start = host.getState()?.start ?? 0;

const title = element('h1', { text: document.title });
const progress = progressView(texts, () => host.send({ type: 'cancel' }));
const position = element('span', { class: 'quiet position', attributes: { role: 'status' } });
const report = element('div', { class: 'report' });
const problem = element('div', { class: 'problem', attributes: { role: 'alert' } });
const rows = element('div', { class: 'rows' });
const previous = button(texts.previous, () => show(start - PAGE_ROWS));
const next = button(texts.next, () => show(start + PAGE_ROWS));
const random = button(texts.random, () => host.send({ type: 'random' }));
const refresh = button(texts.refresh, () => host.send({ type: 'refresh' }));
refresh.title = texts.refreshHint;
const config = button(texts.openConfig, () => host.send({ type: 'openConfig' }));
config.className = 'link';
const open: OpenRow = (file, line) => host.send({ type: 'openRow', file, line });
const search = searchBox(texts.search, (text) => host.send({ type: 'search', text }));
let state: PreviewState | undefined;
let configFile = '';
let shown = 0;

document.body.append(
  element('main', {}, [
    element('header', {}, [title, config]),
    progress.element,
    report,
    problem,
    element('div', { class: 'bar' }, [
      element('nav', { class: 'toolbar', attributes: { 'aria-label': texts.pages } }, [
        ...[previous, next, random, refresh, search, position],
      ]),
      legend(),
    ]),
    rows,
  ]),
);
problem.hidden = true;
showPosition();
host.listen(receive);
host.send({ type: 'ready', start });

function receive(news: DataPreviewNews): void {
  switch (news.type) {
    case 'state':
      showState(news);
      break;
    case 'rows':
      start = news.start;
      host.setState({ configFile, start });
      shown = news.examples.length;
      rows.replaceChildren(...news.examples.map((example) => rowView(texts, example, open)));
      break;
    case 'failed':
      progress.show(undefined);
      showProblem([news.message, ...news.problems]);
      break;
  }
  showPosition();
}

function showState(news: Extract<DataPreviewNews, { type: 'state' }>): void {
  // The page was made anew while something is searched for.
  if (state === undefined && news.state?.search) search.value = news.state.search.text;
  ({ state, configFile } = news);
  host.setState({ configFile, start });
  showText(title, fill(texts.title, news.name));
  progress.show({ state, isCancelled: news.isCancelled });
  showProblem(state?.problem ? [state.problem] : []);
  if (state === undefined) {
    // Read anew: what is shown is of before.
    document.body.classList.add('reading');
    return;
  }
  document.body.classList.remove('reading');
  showReport(report, texts, state, open);
}

function showPosition(): void {
  const used = state?.search?.found ?? state?.report.used ?? 0;
  const last = Math.min(used, start + shown);
  previous.disabled = start === 0;
  next.disabled = last >= used;
  random.disabled = used <= PAGE_ROWS;
  if (shown > 0 && used === 0) rows.replaceChildren();
  showText(position, state === undefined ? '' : describePosition(texts, state, start, last));
}

function showProblem(sentences: readonly string[]): void {
  problem.hidden = sentences.length === 0;
  problem.replaceChildren(...sentences.map((text) => element('p', { text })));
}

function show(from: number): void {
  host.send({ type: 'rows', start: Math.max(0, from) });
}

/** A field whose text is searched for at a pause, and at once with Enter. */
function searchBox(label: string, onSearch: (text: string) => void): HTMLInputElement {
  let timer: number | undefined;
  let asked = '';
  const ask = (): void => {
    window.clearTimeout(timer);
    if (box.value === asked) return;
    asked = box.value;
    onSearch(asked);
  };
  const box = element('input', {
    attributes: { type: 'search', placeholder: label, 'aria-label': label },
    on: {
      input: () => {
        window.clearTimeout(timer);
        timer = window.setTimeout(ask, SEARCH_PAUSE_MS);
      },
      change: ask,
    },
  });
  return box;
}

function button(text: string, onClick: () => void): HTMLButtonElement {
  return element('button', { text, attributes: { type: 'button' }, on: { click: onClick } });
}

/** What the marks mean: each is more than a colour. */
function legend(): HTMLElement {
  const entry = (sample: HTMLElement, meaning: string): HTMLElement =>
    element('li', {}, [element('span', { class: 'code' }, [sample]), ` ${meaning}`]);
  const learned = element('span', { class: 'segment supervised' }, [
    element('span', { class: 'token', text: texts.sampleSupervised }),
  ]);
  const read = element('span', { class: 'segment' }, [
    element('span', { class: 'token', text: texts.sampleSupervised }),
  ]);
  return element('ul', { class: 'legend', attributes: { 'aria-label': texts.legend } }, [
    entry(learned, texts.legendSupervised),
    entry(read, texts.legendRead),
    entry(element('span', { class: 'token special', text: '<|…|>' }), texts.legendSpecial),
    entry(element('span', { class: 'sign', text: '· → ↵' }), texts.legendWhitespace),
    entry(element('span', { class: 'cut', text: '✂' }), texts.legendTruncated),
  ]);
}
