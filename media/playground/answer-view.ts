import type { FolderMove } from '../../extension/folder-move.ts';
import type { AnswerState } from '../../extension/playground/playground-messages.ts';
import type { PlaygroundTexts } from '../../extension/playground/playground-texts.ts';
import type { GenerationAnswer } from '../../server/protocol/generation.ts';
import { element, showText } from '../webview/element.ts';
import { formatCount } from '../webview/numbers.ts';
import { fill } from '../webview/texts.ts';
import { movedWriter } from './by-writer.ts';
import { showVerbatim } from './verbatim.ts';
import type { TextPlace } from './writing.ts';

/** A text that a model writes, with a line about it. */
export class AnswerView implements TextPlace {
  readonly root: HTMLElement;
  readonly #texts: PlaygroundTexts;
  /** Data: as the model wrote it, in a block of its own, beyond which no character in it has effect. */
  readonly #text = element('pre', { attributes: { tabindex: 0, role: 'group' } });
  /** Read aloud when it changes; the text itself would be read word by word. */
  readonly #status = element('p', { class: 'quiet', attributes: { role: 'status' } });
  readonly #logs: HTMLElement;
  #isWriting = false;
  #by: string | undefined;
  /** What came since the last picture: to show each piece by itself would take longer than to write it. */
  #pending = '';

  /** @param onShowLogs called when the user wants to know more of a failure */
  constructor(
    texts: PlaygroundTexts,
    label: string,
    saved: AnswerState | undefined,
    onShowLogs: () => void,
  ) {
    this.#texts = texts;
    this.#logs = element('button', {
      class: 'link',
      text: texts.showLogs,
      attributes: { type: 'button', hidden: true },
      on: { click: onShowLogs },
    });
    this.#text.setAttribute('aria-label', label);
    this.root = element('div', { class: 'answer' }, [this.#text, this.#status, this.#logs]);
    this.state = saved ?? { text: '', status: texts.idle };
  }

  /** Whether more may come. */
  get isWriting(): boolean {
    return this.#isWriting;
  }

  /** Whether it ended with an error. */
  get hasFailed(): boolean {
    return this.root.classList.contains('failed');
  }

  /** Whether nothing was written, and nothing tried. */
  get isIdle(): boolean {
    return !this.#isWriting && this.#status.textContent === this.#texts.idle;
  }

  /** As the model wrote it, as far as it has come. */
  get text(): string {
    return this.#text.textContent + this.#pending;
  }

  get state(): AnswerState {
    const status = this.#isWriting ? this.#texts.interrupted : this.#status.textContent;
    return { text: this.text, status, by: this.#by, hasFailed: this.hasFailed };
  }

  set state({ text, status, by, hasFailed = false }: AnswerState) {
    this.#by = by;
    this.#showFailure(hasFailed);
    this.#show(text);
    showText(this.#status, status);
  }

  /** @param by who writes it */
  start(by?: string): void {
    this.#by = by;
    this.#isWriting = true;
    this.#showFailure(false);
    this.root.setAttribute('aria-busy', 'true');
    this.#show('');
    showText(this.#status, this.#texts.starting);
  }

  showLoading(share: number): void {
    showText(this.#status, fill(this.#texts.loading, Math.round(100 * share)));
  }

  add(piece: string): void {
    if (this.#status.textContent !== this.#texts.writing) {
      showText(this.#status, this.#texts.writing);
    }
    if (this.#pending === '') requestAnimationFrame(() => this.#append());
    this.#pending += piece;
  }

  finish({ text, generatedTokens, tokensPerSecond, finishReason }: GenerationAnswer): void {
    const texts = this.#texts;
    this.#show(text);
    const tokens = formatCount(generatedTokens);
    const speed = tokensPerSecond?.toFixed(tokensPerSecond < 10 ? 2 : 0) ?? '';
    const end = texts[`end_${finishReason}`] + (text === '' ? ` ${texts.emptyAnswer}` : '');
    this.#end(fill(speed === '' ? texts.speedless : texts.speed, tokens, speed, end));
  }

  fail(message: string): void {
    this.#showFailure(true);
    this.#end(message);
  }

  /** Makes room where somebody else is to answer: a text stands under the name of who wrote it. */
  showOnlyOf(writer: string): void {
    if (this.#isWriting || this.#by === undefined || this.#by === writer) return;
    this.#clear();
  }

  /** What went wrong says nothing about what is asked next. */
  dropFailure(): void {
    if (this.hasFailed) this.#clear();
  }

  /** The adapter that has written it, perhaps, has another name. */
  follow(move: FolderMove): void {
    this.#by &&= movedWriter(this.#by, move);
  }

  /** No more of it is waited for. */
  interrupt(): void {
    this.#end(this.#texts.replaced);
  }

  #clear(): void {
    this.state = { text: '', status: this.#texts.idle };
  }

  #showFailure(hasFailed: boolean): void {
    this.root.classList.toggle('failed', hasFailed);
    this.#logs.hidden = !hasFailed;
  }

  /** Shows a text instead of all that came before. */
  #show(text: string): void {
    this.#pending = '';
    showVerbatim(this.#text, text);
  }

  #append(): void {
    const { scrollTop, scrollHeight, clientHeight } = this.#text;
    const wasAtEnd = scrollTop + clientHeight >= scrollHeight - 4;
    this.#text.append(this.#pending);
    this.#pending = '';
    if (wasAtEnd) this.#text.scrollTop = this.#text.scrollHeight;
  }

  #end(status: string): void {
    this.#isWriting = false;
    this.root.removeAttribute('aria-busy');
    showText(this.#status, status);
  }
}
