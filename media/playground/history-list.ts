import type { HistoryEntry } from '../../extension/playground/playground-messages.ts';
import type { PlaygroundTexts } from '../../extension/playground/playground-texts.ts';
import { changedSampling } from '../../extension/playground/sampling.ts';
import { element, showText } from '../webview/element.ts';
import { fill } from '../webview/texts.ts';
import { action } from './labelled.ts';

/** Characters of a text that are shown in the list. */
const SHOWN = 200;

/** What was tried with what is picked, the latest first. */
export class HistoryList {
  readonly root: HTMLDetailsElement;
  readonly #texts: PlaygroundTexts;
  readonly #summary = element('summary');
  readonly #list = element('ul', { class: 'history' });
  readonly #empty: HTMLElement;
  readonly #clear: HTMLButtonElement;
  readonly #onShow: (entry: HistoryEntry) => void;
  #subject = '';
  #count = 0;

  constructor(
    texts: PlaygroundTexts,
    { onShow, onClear }: { onShow(entry: HistoryEntry): void; onClear(): void },
  ) {
    this.#texts = texts;
    this.#onShow = onShow;
    this.#empty = element('p', { class: 'quiet', text: texts.historyEmpty });
    this.#clear = action(texts.clearHistory, onClear);
    this.root = element('details', {}, [
      this.#summary,
      this.#empty,
      this.#list,
      element('div', { class: 'toolbar' }, [this.#clear]),
    ]);
    this.show([]);
  }

  /** What the one is called whose history it is; empty while nobody is picked, who has none. */
  set subject(name: string) {
    this.#subject = name;
    this.#drawSummary();
  }

  show(entries: readonly HistoryEntry[]): void {
    this.#count = entries.length;
    this.#drawSummary();
    this.#empty.hidden = entries.length > 0;
    this.#clear.hidden = entries.length === 0;
    this.#list.replaceChildren(...entries.map((entry) => this.#item(entry)));
  }

  #drawSummary(): void {
    this.root.hidden = this.#subject === '';
    showText(this.#summary, fill(this.#texts.history, this.#subject, this.#count));
  }

  #item(entry: HistoryEntry): HTMLElement {
    const { time, question, answers, sampling } = entry;
    const changed = sampling === undefined ? [] : changedSampling(sampling);
    const about = [new Date(time).toLocaleString(), ...changed].join(' · ');
    return element('li', {}, [
      element('div', { class: 'prompt-head' }, [
        element('span', { class: 'quiet', text: about }),
        action(this.#texts.useAgain, () => this.#onShow(entry)),
      ]),
      element('p', { class: 'code', text: cut(question.prompt) }),
      ...answers.map(({ writer, text }) =>
        element('p', {}, [
          element('span', { class: 'quiet', text: `${writer}: ` }),
          element('span', { class: 'code', text: cut(text) || this.#texts.emptyAnswer }),
        ]),
      ),
    ]);
  }
}

function cut(text: string): string {
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
}
