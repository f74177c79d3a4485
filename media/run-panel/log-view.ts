import type { RunPanelTexts } from '../../extension/runs/run-panel-texts.ts';
import { plainLine } from '../../server/plain-text.ts';
import type { LogLine } from '../../server/protocol/runs.ts';
import { element, showText } from '../webview/element.ts';
import { formatCount } from '../webview/numbers.ts';
import { fill } from '../webview/texts.ts';

/** Lines that are kept for filtering; earlier ones are in the file. */
const KEPT = 5_000;
/** Characters of a line that are shown. */
const LINE_LIMIT = 10_000;
/** Lines that are shown at a time. */
const SHOWN = 500;

/** The end of the run's log, with a filter. */
export class LogView {
  readonly root: HTMLElement;
  readonly #texts: RunPanelTexts;
  readonly #filter: HTMLInputElement;
  readonly #hidden = element('p', { class: 'quiet' });
  readonly #list = element('div', { class: 'log code' });
  #lines: LogLine[] = [];
  #dropped = 0;
  #isDue = false;

  constructor(texts: RunPanelTexts) {
    this.#texts = texts;
    this.#filter = element('input', {
      attributes: { type: 'search', placeholder: texts.filterLog, 'aria-label': texts.filterLog },
      on: { input: () => this.#drawSoon() },
    });
    this.#list.setAttribute('role', 'log');
    this.#list.setAttribute('aria-label', texts.log);
    this.#list.tabIndex = 0;
    this.root = element('div', {}, [
      element('div', { class: 'toolbar' }, [this.#filter]),
      this.#hidden,
      this.#list,
    ]);
    this.#drawSoon();
  }

  /** Adds lines, or begins anew with them. */
  add(lines: readonly LogLine[], isStart: boolean): void {
    if (isStart) {
      this.#lines = [];
      this.#dropped = 0;
    }
    this.#lines.push(...lines);
    const surplus = this.#lines.length - KEPT;
    if (surplus > 0) {
      this.#lines.splice(0, surplus);
      this.#dropped += surplus;
    }
    this.#drawSoon();
  }

  #drawSoon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    requestAnimationFrame(() => {
      this.#isDue = false;
      this.#draw();
    });
  }

  #draw(): void {
    const wanted = this.#filter.value.toLowerCase();
    const matching = this.#lines.filter(({ text }) => text.toLowerCase().includes(wanted));
    const shown = matching.slice(-SHOWN);
    const { scrollTop, scrollHeight, clientHeight } = this.#list;
    const wasAtEnd = scrollTop + clientHeight >= scrollHeight - 4;
    this.#list.replaceChildren(...shown.map((line) => this.#row(line)));
    if (shown.length === 0) {
      this.#list.append(element('p', { class: 'quiet', text: this.#texts.noLog }));
    }
    const earlier = this.#dropped + matching.length - shown.length;
    showText(this.#hidden, fill(this.#texts.hiddenLines, formatCount(earlier)));
    this.#hidden.hidden = earlier === 0;
    // Who has scrolled up reads something; the others follow the end.
    if (wasAtEnd) this.#list.scrollTop = this.#list.scrollHeight;
  }

  #row({ time, level, text }: LogLine): HTMLElement {
    const clock = time === null ? '' : new Date(time).toLocaleTimeString();
    const mark = level === 'warning' || level === 'error' ? `${this.#texts[level]}: ` : '';
    return element('div', { class: `log-line ${level}` }, [
      element('span', { class: 'quiet', text: clock }),
      element('span', { text: plainLine(mark + text, LINE_LIMIT) }),
    ]);
  }
}
