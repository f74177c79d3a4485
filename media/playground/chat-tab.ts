import type { FolderMove } from '../../extension/folder-move.ts';
import type { PlaygroundState, Turn } from '../../extension/playground/playground-messages.ts';
import type { PlaygroundTexts } from '../../extension/playground/playground-texts.ts';
import type { Sampling } from '../../extension/playground/sampling.ts';
import { element, showText } from '../webview/element.ts';
import { ByWriter } from './by-writer.ts';
import { ConversationView } from './conversation-view.ts';
import { action, allow } from './labelled.ts';
import type { NamedWriter, PlaygroundParts } from './parts.ts';

/** What is kept over a reload: so many conversations, and turns of each. */
const CONVERSATIONS = 20;
const TURNS = 100;

type ChatState = Pick<PlaygroundState, 'conversations' | 'draft'>;

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

  constructor(texts: PlaygroundTexts, parts: PlaygroundParts, saved: Partial<ChatState>) {
    this.#texts = texts;
    this.#parts = parts;
    const events = { onTryAgain: () => void this.#tryAgain(), onRemove: () => this.#remove() };
    this.#conversations = new ByWriter(() => new ConversationView(texts, events, parts.onShowLogs));
    for (const { writer, ...state } of saved.conversations ?? []) {
      this.#conversations.of(writer).state = state;
    }
    this.#message = element('textarea', {
      attributes: {
        rows: 3,
        required: true,
        'aria-label': texts.message,
        placeholder: texts.messageHint,
      },
      on: { input: () => parts.keepTyped() },
    });
    this.#message.value = saved.draft ?? '';
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

  /** All conversations, as they are kept. */
  get state(): ChatState {
    const conversations = this.#conversations.all
      .filter(([, conversation]) => !conversation.isEmpty)
      .slice(-CONVERSATIONS)
      .map(([writer, { state }]) => ({ writer, ...state, turns: state.turns.slice(-TURNS) }));
    return { conversations, draft: this.#message.value };
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
    conversation.update(this.#writer.name, this.#problem ?? busy);
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
    const sampling = this.#parts.sampling();
    if (sampling === undefined) return;
    const { value } = this.#message;
    this.#message.value = '';
    this.focus();
    await this.#ask(value, sampling);
  }

  async #tryAgain(): Promise<void> {
    const sampling = this.#parts.sampling();
    if (sampling === undefined) return;
    this.focus();
    await this.#ask(this.#conversation.takeBack(), sampling);
  }

  #remove(): void {
    const message = this.#conversation.takeBack();
    this.#message.value ||= message;
    this.update();
    this.#parts.keep();
    this.focus();
  }

  async #ask(message: string, sampling: Sampling): Promise<void> {
    const subject = this.#parts.subject();
    const { id, writer, name } = this.#writer;
    const conversation = this.#conversation;
    const { messages, view } = conversation.ask(message);
    const isDone = this.#parts.write({ messages }, [{ writer, by: id, view }]);
    this.#form.scrollIntoView({ block: 'nearest' });
    const { scrollY } = window;
    const isAnswered = conversation.settle({ view }, await isDone);
    this.update();
    this.#parts.keep();
    // Who looks at something else by now stays there.
    if (conversation === this.#shown && window.scrollY === scrollY) {
      this.#form.scrollIntoView({ block: 'nearest' });
    }
    if (!isAnswered) return;
    const { turns } = conversation;
    this.#parts.remember(subject, {
      question: { mode: 'chat', context: [], prompt: turns[0]!.content, expected: null },
      answers: [{ writer: name, text: view.text }],
      sampling,
      turns,
    });
  }
}
