import type { FolderMove } from '../../extension/folder-move.ts';
import type { Question, Side, TableRow } from '../../extension/playground/playground-messages.ts';
import type { PlaygroundTexts } from '../../extension/playground/playground-texts.ts';
import { visible } from '../../server/plain-text.ts';
import { element, showText } from '../webview/element.ts';
import { fill } from '../webview/texts.ts';
import { AnswerView } from './answer-view.ts';
import { askedPrompt, type Examples } from './examples.ts';
import { action, allow } from './labelled.ts';
import type { PlaygroundParts } from './parts.ts';
import { verbatim } from './verbatim.ts';

/** Examples that one click adds. */
const ADDED = 5;
/** Rows that are kept over a reload. */
const MOST = 50;

interface Row {
  readonly question: Question;
  readonly views: Readonly<Record<Side, AnswerView>>;
  readonly root: HTMLTableRowElement;
}

/** Several prompts, one a row, and what each of those that are picked answers. */
export class PromptTable {
  readonly root: HTMLElement;
  readonly #texts: PlaygroundTexts;
  readonly #parts: PlaygroundParts;
  readonly #examples: Examples;
  readonly #body = element('tbody');
  readonly #table: HTMLTableElement;
  readonly #heads: Readonly<Record<Side, HTMLElement>>;
  readonly #empty: HTMLElement;
  readonly #matches = element('p', { class: 'quiet', attributes: { role: 'status' } });
  readonly #run: HTMLButtonElement;
  readonly #stop: HTMLButtonElement;
  readonly #clear: HTMLButtonElement;
  readonly #addExamples: HTMLButtonElement;
  #rows: readonly Row[] = [];
  #isStopped = false;
  #problem: string | undefined;

  /** @param promptOf the prompt that stands in the other tab */
  constructor(
    texts: PlaygroundTexts,
    parts: PlaygroundParts,
    examples: Examples,
    { saved, promptOf }: { readonly saved: readonly TableRow[]; readonly promptOf: () => Question },
  ) {
    this.#texts = texts;
    this.#parts = parts;
    this.#examples = examples;
    this.#run = action(texts.runAll, () => void this.#runAll(), { isPrimary: true });
    this.#stop = action(texts.stop, () => {
      this.#isStopped = true;
      parts.writing.stop();
    });
    this.#clear = action(texts.clearTable, () => this.#replace([]));
    this.#addExamples = action(
      texts.addExamples,
      () => this.#replace([...this.#rows, ...this.#nextExamples()]),
      { hint: texts.nextExampleHint },
    );
    const addPrompt = action(
      texts.addPrompt,
      () => {
        const question = promptOf();
        if (question.prompt !== '')
          this.#replace([...this.#rows, this.#row({ question, answers: {} })]);
      },
      { hint: texts.addPromptHint },
    );
    const head = (text = ''): HTMLElement => element('th', { text, attributes: { scope: 'col' } });
    this.#heads = { beside: head(), adapter: head() };
    this.#table = element('table', {}, [
      element('thead', {}, [
        element('tr', {}, [
          head(texts.prompt),
          head(texts.expected),
          this.#heads.beside,
          this.#heads.adapter,
          element('td'),
        ]),
      ]),
      this.#body,
    ]);
    this.#empty = element('p', { class: 'quiet', text: texts.tableEmpty });
    this.root = element('div', { class: 'view' }, [
      element('div', { class: 'toolbar' }, [
        this.#run,
        this.#stop,
        this.#addExamples,
        addPrompt,
        this.#clear,
      ]),
      this.#empty,
      element(
        'div',
        { class: 'wide', attributes: { tabindex: 0, role: 'group', 'aria-label': texts.tableTab } },
        [this.#table],
      ),
      this.#matches,
    ]);
    this.#rows = saved.map((row) => this.#row(row));
    this.#body.replaceChildren(...this.#rows.map(({ root }) => root));
    this.update();
  }

  get rows(): readonly TableRow[] {
    return this.#rows.slice(-MOST).map(({ question, views }) => ({
      question,
      answers: { beside: views.beside.state, adapter: views.adapter.state },
    }));
  }

  setReady(problem: string | undefined): void {
    this.#problem = problem;
    this.update();
  }

  /** Shows who writes, and what can be done. */
  update(): void {
    const { isBusy } = this.#parts.writing;
    const writers = this.#parts.writers();
    for (const side of ['beside', 'adapter'] as const) {
      const writer = writers.find((each) => each.side === side);
      showText(this.#heads[side], writer?.title ?? '');
      if (writer !== undefined) {
        for (const { views } of this.#rows) views[side].showOnlyOf(writer.id);
      }
      for (const cell of this.#body.querySelectorAll<HTMLElement>(`.${side}`)) {
        cell.dataset['name'] = visible(writer?.title ?? '');
      }
      this.#table.classList.toggle(`without-${side}`, writer === undefined);
    }
    const isEmpty = this.#rows.length === 0;
    this.#empty.hidden = !isEmpty;
    this.#table.hidden = isEmpty;
    const texts = this.#texts;
    const busy = isBusy ? texts.isWritten : undefined;
    allow(this.#run, this.#problem ?? (isEmpty ? texts.tableEmpty : busy));
    allow(this.#stop, isBusy ? undefined : texts.nothingWritten);
    allow(this.#clear, isEmpty ? texts.tableIsEmpty : busy);
    this.#addExamples.hidden = this.#examples.count === 0;
    this.#showMatches();
  }

  /** An adapter has another name. */
  follow(move: FolderMove): void {
    for (const { views } of this.#rows) {
      for (const view of Object.values(views)) view.follow(move);
    }
  }

  #replace(rows: readonly Row[]): void {
    this.#rows = rows;
    this.#body.replaceChildren(...rows.map(({ root }) => root));
    this.update();
    this.#parts.keep();
  }

  #nextExamples(): Row[] {
    const count = Math.min(ADDED, this.#examples.count);
    return Array.from({ length: count }, () =>
      this.#row({ question: this.#examples.next()!, answers: {} }),
    );
  }

  #row({ question, answers }: TableRow): Row {
    const texts = this.#texts;
    const view = (side: Side): AnswerView =>
      new AnswerView(texts, question.prompt, answers[side], this.#parts.onShowLogs);
    const views = { beside: view('beside'), adapter: view('adapter') };
    const row: Row = {
      question,
      views,
      root: element('tr', {}, [
        element('td', { attributes: { 'data-name': texts.prompt } }, [
          verbatim(
            [...question.context.map(({ content }) => content), question.prompt].join('\n\n'),
          ),
        ]),
        element('td', { attributes: { 'data-name': texts.expected } }, [
          verbatim(question.expected ?? '–'),
        ]),
        element('td', { class: 'beside' }, [views.beside.root]),
        element('td', { class: 'adapter' }, [views.adapter.root]),
        element('td', {}, [
          action(texts.removeRow, () => this.#replace(this.#rows.filter((each) => each !== row))),
        ]),
      ]),
    };
    return row;
  }

  /** Row after row, so that each is complete before the next one begins. */
  async #runAll(): Promise<void> {
    this.#isStopped = false;
    for (const { question, views, root } of this.#rows) {
      if (this.#isStopped) break;
      if (!root.isConnected) continue;
      const wanted = this.#parts
        .writers()
        .map(({ side, id, writer }) => ({ writer, by: id, view: views[side] }));
      if (!(await this.#parts.write(askedPrompt(question), wanted))) break;
      this.#showMatches();
    }
    this.#parts.keep();
  }

  /** How many answers are what was expected, word for word. */
  #showMatches(): void {
    const known = this.#rows.filter(
      ({ question, views }) =>
        question.expected !== null && views.adapter.text + views.beside.text !== '',
    );
    const lines = this.#parts.writers().map(({ side, title }) => {
      const right = known.filter(
        ({ question, views }) => views[side].text.trim() === question.expected!.trim(),
      );
      return fill(this.#texts.matches, title, right.length, known.length);
    });
    showText(this.#matches, known.length === 0 ? '' : lines.join(' · '));
  }
}
