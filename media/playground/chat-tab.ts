import type { FolderMove } from '../../extension/folder-move.ts';
import type { PlaygroundState, Turn } from '../../extension/playground/playground-messages.ts';
import type { PlaygroundTexts } from '../../extension/playground/playground-texts.ts';
import { element, showText } from '../webview/element.ts';
import { ByWriter } from './by-writer.ts';
import { ConversationView } from './conversation-view.ts';
import { action, allow } from './labelled.ts';
import type { NamedWriter, PlaygroundParts } from './parts.ts';

/** Turns that are kept over a reload. */
const MOST = 100;

/** A conversation with whoever is picked, in a chat template; each has one of its own, which comes back with it. */
export class ChatTab {
  readonly root: HTMLElement;
  readonly #texts: PlaygroundTexts;
  readonly #parts: PlaygroundParts;
  readonly #conversations: ByWriter<ConversationView>;
  readonly #intro = element('p', { class: 'quiet' });
  readonly #form: HTMLFormElement;
  readonly #message: HTMLTextAreaElement;
  readonly #send: HTMLButtonElement;
  readonly #stop: HTMLButtonElement;
  readonly #new: HTMLButtonElement;
  #shown: ConversationView;
  #problem: string | undefined;

  constructor(
    texts: PlaygroundTexts,
    parts: PlaygroundParts,
    saved: Partial<Pick<PlaygroundState, 'turns' | 'turnsOf'>>,
  ) {
    this.#texts = texts;
    this.#parts = parts;
    const events = { onTryAgain: () => void this.#tryAgain(), onRemove: () => this.#remove() };
    this.#conversations = new ByWriter(() => new ConversationView(texts, events, parts.onShowLogs));
    const { turns = [], turnsOf } = saved;
    if (turnsOf !== undefined) this.#conversations.of(turnsOf).turns = turns;
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
    this.#stop = action(texts.stop, () => {
      parts.writing.stop();
      this.focus();
    });
    this.#new = action(texts.newChat, () => this.#begin());
    this.#form = element(
      'form',
      {
        on: {
          submit: (event) => {
            event.preventDefault();
            if (!this.#send.disabled) void this.#submit();
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
    this.#shown = this.#conversation;
    this.root = element('div', { class: 'view' }, [this.#intro, this.#shown.root, this.#form]);
    this.update();
  }

  /** The conversation with the one who is picked, and who that is. */
  get state(): Pick<PlaygroundState, 'turns' | 'turnsOf'> {
    const { id } = this.#writer;
    return { turns: this.#conversations.of(id).turns.slice(-MOST), turnsOf: id };
  }

  /** Goes on with a conversation of earlier. */
  show(turns: readonly Turn[]): void {
    this.#conversation.turns = turns;
    this.update();
  }

  /** An adapter has another name. */
  follow(move: FolderMove): void {
    this.#conversations.follow(move);
  }

  /** Lets the user type. */
  focus(): void {
    this.#message.focus();
  }

  /** @param problem why there can be no conversation; undefined where there can */
  setReady(problem: string | undefined): void {
    this.#problem = problem;
    this.update();
  }

  /** Shows the conversation with the one who is picked, and what can be done. */
  update(): void {
    const { isBusy } = this.#parts.writing;
    const conversation = this.#conversation;
    if (this.#shown !== conversation) this.#shown.root.replaceWith(conversation.root);
    this.#shown = conversation;
    showText(this.#intro, this.#problem ?? this.#texts.chatEmpty);
    this.#intro.hidden = this.#problem === undefined && !conversation.isEmpty;
    this.#message.disabled = this.#problem !== undefined;
    const texts = this.#texts;
    const busy = isBusy ? texts.isWritten : undefined;
    allow(this.#send, this.#problem ?? busy);
    allow(this.#stop, isBusy ? undefined : texts.nothingWritten);
    allow(this.#new, conversation.isEmpty ? texts.chatIsEmpty : busy);
    conversation.update(this.#problem ?? busy);
  }

  /** Who answers: the adapter, or the base model without one. */
  get #writer(): NamedWriter {
    return this.#parts.writers().at(-1)!;
  }

  get #conversation(): ConversationView {
    return this.#conversations.of(this.#writer.id);
  }

  #begin(): void {
    this.show([]);
    this.#parts.keep();
    this.focus();
  }

  async #submit(): Promise<void> {
    const { value } = this.#message;
    this.#message.value = '';
    this.focus();
    await this.#ask(value);
  }

  async #tryAgain(): Promise<void> {
    this.focus();
    await this.#ask(this.#conversation.takeBack());
  }

  #remove(): void {
    const message = this.#conversation.takeBack();
    this.#message.value ||= message;
    this.update();
    this.focus();
  }

  async #ask(message: string): Promise<void> {
    const subject = this.#parts.subject();
    const { id, writer, title } = this.#writer;
    const conversation = this.#conversation;
    const { messages, view } = conversation.ask(message);
    this.#form.scrollIntoView({ block: 'nearest' });
    const end = await this.#parts.write({ messages }, [{ writer, by: id, view }]);
    if (end === 'refused') return this.#remove();
    const isAnswered = conversation.settle({ view }, end === 'done');
    this.update();
    if (!isAnswered) return;
    this.#parts.keep();
    this.#form.scrollIntoView({ block: 'nearest' });
    const { turns } = conversation;
    this.#parts.remember(subject, {
      question: { mode: 'chat', context: [], prompt: turns[0]!.content, expected: null },
      answers: [{ writer: title, text: view.text }],
      turns,
    });
  }
}
