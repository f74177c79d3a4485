import type { Turn } from '../../extension/playground/playground-messages.ts';
import type { PlaygroundTexts } from '../../extension/playground/playground-texts.ts';
import { element, showText } from '../webview/element.ts';
import { AnswerView } from './answer-view.ts';
import { action, allow } from './labelled.ts';
import type { PlaygroundParts } from './parts.ts';
import { turnView } from './turn-list.ts';

/** Turns that are kept over a reload. */
const MOST = 100;

/** A conversation with the adapter, in the chat template of its base model. */
export class ChatTab {
  readonly root: HTMLElement;
  readonly #texts: PlaygroundTexts;
  readonly #parts: PlaygroundParts;
  readonly #list = element('div', { class: 'turns', attributes: { role: 'log' } });
  readonly #intro = element('p', { class: 'quiet' });
  readonly #form: HTMLFormElement;
  readonly #message: HTMLTextAreaElement;
  readonly #send: HTMLButtonElement;
  readonly #stop: HTMLButtonElement;
  readonly #new: HTMLButtonElement;
  #turns: readonly Turn[];
  #problem: string | undefined;

  constructor(texts: PlaygroundTexts, parts: PlaygroundParts, saved: readonly Turn[]) {
    this.#texts = texts;
    this.#parts = parts;
    this.#turns = saved;
    this.#list.setAttribute('aria-label', texts.chatTab);
    this.#message = element('textarea', {
      attributes: {
        rows: 3,
        required: true,
        'aria-label': texts.message,
        placeholder: texts.messageHint,
      },
    });
    this.#send = element('button', {
      class: 'primary',
      text: texts.send,
      attributes: { type: 'submit' },
    });
    this.#stop = action(texts.stop, () => parts.writing.stop());
    this.#new = action(texts.newChat, () => this.#begin());
    this.#form = element(
      'form',
      {
        on: {
          submit: (event) => {
            event.preventDefault();
            if (!this.#send.disabled) void this.#ask();
          },
          keydown: (event) => {
            // As in chats everywhere; a new line takes Shift.
            if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
            if (event.target !== this.#message) return;
            event.preventDefault();
            this.#form.requestSubmit();
          },
        },
      },
      [this.#message, element('div', { class: 'toolbar' }, [this.#send, this.#stop, this.#new])],
    );
    this.root = element('div', { class: 'view' }, [this.#intro, this.#list, this.#form]);
    this.#draw();
    this.update();
  }

  get turns(): readonly Turn[] {
    return this.#turns.slice(-MOST);
  }

  /** Goes on with a conversation of earlier. */
  show(turns: readonly Turn[]): void {
    this.#turns = turns;
    this.#draw();
    this.update();
  }

  /** @param problem why there can be no conversation; undefined where there can */
  setReady(problem: string | undefined): void {
    this.#problem = problem;
    this.update();
  }

  update(): void {
    const { isBusy } = this.#parts.writing;
    showText(this.#intro, this.#problem ?? this.#texts.chatEmpty);
    this.#intro.hidden = this.#problem === undefined && this.#turns.length > 0;
    this.#message.disabled = this.#problem !== undefined;
    const texts = this.#texts;
    const busy = isBusy ? texts.isWritten : undefined;
    allow(this.#send, this.#problem ?? busy);
    allow(this.#stop, isBusy ? undefined : texts.nothingWritten);
    allow(this.#new, this.#turns.length === 0 ? texts.chatIsEmpty : busy);
  }

  #draw(): void {
    this.#list.replaceChildren(
      ...this.#turns.map((turn) => {
        const view = this.#view(turn.content);
        return turnView(this.#texts, turn.role, view.root);
      }),
    );
  }

  #view(text: string): AnswerView {
    const { role_assistant: label } = this.#texts;
    return new AnswerView(this.#texts, label, { text, status: '' }, this.#parts.onShowLogs);
  }

  #begin(): void {
    this.show([]);
    this.#parts.keep();
    this.#message.focus();
  }

  async #ask(): Promise<void> {
    const writer = this.#parts.writers().at(-1);
    if (writer === undefined) return;
    const subject = this.#parts.subject();
    const question = { role: 'user', content: this.#message.value };
    const messages = [...this.#turns, question];
    const view = this.#view('');
    const asked = turnView(this.#texts, 'user', this.#view(question.content).root);
    this.#list.append(asked, turnView(this.#texts, 'assistant', view.root));
    this.#message.value = '';
    this.#form.scrollIntoView({ block: 'nearest' });
    const isDone = await this.#parts.write({ messages }, [{ writer: writer.writer, view }]);
    if (!isDone || view.hasFailed) {
      // The message can be sent again, as it was or another one.
      if (!isDone) asked.nextElementSibling?.remove();
      if (!isDone) asked.remove();
      this.#message.value ||= question.content;
      return;
    }
    this.#turns = [...messages, { role: 'assistant', content: view.text }];
    this.update();
    this.#parts.keep();
    this.#form.scrollIntoView({ block: 'nearest' });
    const [first] = this.#turns;
    this.#parts.remember(subject, {
      question: { mode: 'chat', context: [], prompt: first!.content, expected: null },
      answers: [{ writer: writer.title, text: view.text }],
      turns: this.#turns,
    });
  }
}
