import type { OutputState } from '../../extension/playground/playground-messages.ts';
import type { PlaygroundTexts } from '../../extension/playground/playground-texts.ts';
import type { GenerationAnswer } from '../../server/protocol.ts';
import { element, showText } from '../webview/element.ts';
import { formatCount } from '../webview/numbers.ts';
import { fill } from '../webview/texts.ts';

/** The text of one side, with a line about it. */
export class OutputView {
  readonly root: HTMLElement;
  readonly #texts: PlaygroundTexts;
  /** Data: as the model wrote it, in a block of its own, beyond which no character in it has effect. */
  readonly #text = element('pre', { attributes: { tabindex: 0 } });
  /** Read aloud when it changes; the text itself would be read word by word. */
  readonly #status = element('p', { class: 'quiet', attributes: { role: 'status' } });
  #isWriting = false;
  /** What came since the last picture: to show each piece by itself would take longer than to write it. */
  #pending = '';

  constructor(texts: PlaygroundTexts, title: string, saved: OutputState | undefined) {
    this.#texts = texts;
    this.#text.textContent = saved?.text ?? '';
    showText(this.#status, saved?.status ?? texts.idle);
    this.#text.setAttribute('aria-label', title);
    this.root = element('section', { attributes: { 'aria-label': title } }, [
      element('h2', { text: title }),
      this.#text,
      this.#status,
    ]);
  }

  /** Whether more may come. */
  get isWriting(): boolean {
    return this.#isWriting;
  }

  get state(): OutputState {
    const status = this.#isWriting ? this.#texts.interrupted : this.#status.textContent;
    return { text: this.#text.textContent + this.#pending, status };
  }

  start(): void {
    this.#isWriting = true;
    this.root.classList.remove('failed');
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
    this.root.classList.add('failed');
    this.#end(message);
  }

  /** Shows a text instead of all that came before. */
  #show(text: string): void {
    this.#pending = '';
    this.#text.textContent = text;
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
