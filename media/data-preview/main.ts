import type {
  DataPreviewNews,
  DataPreviewRequest,
  DataPreviewState,
  RowsNews,
} from '../../extension/data-preview/data-preview-messages.ts';
import type { DataPreviewTexts } from '../../extension/data-preview/data-preview-texts.ts';
import { PAGE_ROWS } from '../../extension/data-preview/pages.ts';
import { element, showText } from '../webview/element.ts';
import { connectHost } from '../webview/host.ts';
import { formatCount } from '../webview/numbers.ts';
import { fill, readTexts } from '../webview/texts.ts';
import { reportView } from './report-view.ts';
import { type OpenRow, rowView } from './row-view.ts';

/** The data preview: a page of rows, token by token, with what became of all rows. */
const texts = readTexts<DataPreviewTexts>();
const host = connectHost<DataPreviewNews, DataPreviewRequest, DataPreviewState>();
let start = host.getState()?.start ?? 0;

const title = element('h1', { text: document.title });
const status = element('span', { class: 'quiet', attributes: { role: 'status' } });
const report = element('div', { class: 'report' });
const rows = element('div', { class: 'rows' });
const previous = button(texts.previous, () => show(start - PAGE_ROWS));
const next = button(texts.next, () => show(start + PAGE_ROWS));
const random = button(texts.random, () => host.send({ type: 'random' }));
const refresh = button(texts.refresh, () => host.send({ type: 'refresh' }));
refresh.title = texts.refreshHint;
const config = button(texts.openConfig, () => host.send({ type: 'openConfig' }));
config.className = 'link';
const open: OpenRow = (file, line) => host.send({ type: 'openRow', file, line });

document.body.append(
  element('main', {}, [
    element('header', {}, [title, config]),
    report,
    element('div', { class: 'bar' }, [
      element('nav', { class: 'toolbar', attributes: { 'aria-label': texts.pages } }, [
        ...[previous, next, random, refresh, status],
      ]),
      legend(),
    ]),
    rows,
  ]),
);
for (const paging of [previous, next, random]) paging.disabled = true;
host.listen(receive);
show(start);

function receive(news: DataPreviewNews): void {
  document.body.classList.toggle('reading', news.type === 'reading');
  switch (news.type) {
    case 'reading':
      showText(status, texts.reading);
      break;
    case 'rows':
      showRows(news);
      break;
    case 'failed':
      showText(status, '');
      rows.replaceChildren(
        element('div', { class: 'problem', attributes: { role: 'alert' } }, [
          element('p', { text: news.message }),
          ...news.problems.map((text) => element('p', { text })),
        ]),
      );
      break;
  }
}

function showRows(news: RowsNews): void {
  start = news.start;
  host.setState({ configFile: news.configFile, start });
  const { used } = news.report;
  showText(title, fill(texts.title, news.name));
  const last = Math.min(used, start + PAGE_ROWS);
  showText(
    status,
    used === 0
      ? texts.noRows
      : fill(texts.position, formatCount(start + 1), formatCount(last), formatCount(used)),
  );
  previous.disabled = start === 0;
  next.disabled = last >= used;
  random.disabled = used <= PAGE_ROWS;
  report.replaceChildren(...reportView(texts, news.report, news.padding, open));
  rows.replaceChildren(...news.examples.map((example) => rowView(texts, example, open)));
}

function show(from: number): void {
  host.send({ type: 'rows', start: Math.max(0, from) });
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
