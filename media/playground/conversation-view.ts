import type { ConversationState, Turn } from '../../extension/playground/playground-messages.ts';
import type { PlaygroundTexts } from '../../extension/playground/playground-texts.ts';
import { visible } from '../../server/plain-text.ts';
import { element, showText } from '../webview/element.ts';
import { AnswerView } from './answer-view.ts';
import { Conversation } from './conversation.ts';
import { action, allow } from './labelled.ts';
import { roleName, turnView } from './turn-list.ts';

/** What the user does with a message that has no answer. */
export interface UnansweredEvents {
  onTryAgain(): void;
  onRemove(): void;
}

/** The message that is being answered or has no answer, as it is shown. */
interface Shown {
  readonly view: AnswerView;
  /** What was asked, and what is answered. */
  readonly turns: readonly HTMLElement[];
  /** Asks again, when there is no answer. */
  readonly again: HTMLButtonElement | undefined;
}

/** A conversation as it is shown: its turns, and below them a message that has no answer, with what one can do about it. */
export class ConversationView {
  readonly root = element('div', { class: 'turns', attributes: { role: 'log' } });
  readonly #texts: PlaygroundTexts;
  readonly #events: UnansweredEvents;
  readonly #onShowLogs: () => void;
  #conversation = new Conversation();
  #last: Shown | undefined;
  #writer = '';

  constructor(texts: PlaygroundTexts, events: UnansweredEvents, onShowLogs: () => void) {
    this.#texts = texts;
    this.#events = events;
    this.#onShowLogs = onShowLogs;
    this.root.setAttribute('aria-label', texts.chatTab);
  }

  /** See `Conversation`. */
  get turns(): readonly Turn[] {
    return this.#conversation.turns;
  }

  /** All of it, to be kept. */
  get state(): Omit<ConversationState, 'writer'> {
    const { turns, asked } = this.#conversation;
    const answer = this.#last?.view.state;
    const isOpen = asked !== undefined && answer !== undefined;
    return { turns, ...(isOpen && { unanswered: { message: asked, answer } }) };
  }

  /** Goes on with what was kept; a message that had no answer can be asked again. */
  set state({ turns, unanswered }: Omit<ConversationState, 'writer'>) {
    this.turns = turns;
    if (unanswered === undefined) return;
    const { view } = this.ask(unanswered.message);
    view.state = unanswered.answer;
    this.settle({ view }, false);
  }

  /** Goes on with a conversation of earlier, or begins anew. */
  set turns(turns: readonly Turn[]) {
    this.#conversation = new Conversation();
    this.#conversation.turns = turns;
    this.#last = undefined;
    this.root.replaceChildren(
      ...turns.map(({ role, content }) => this.#turn(role, this.#view(role, content))),
    );
  }

  get isEmpty(): boolean {
    return this.#conversation.isEmpty;
  }

  /** Shows a message whose answer is to be written; one that has none goes. Returns what is to be answered, and where. */
  ask(message: string): { readonly messages: readonly Turn[]; readonly view: AnswerView } {
    this.takeBack();
    const view = this.#view('assistant', '');
    const turns = [this.#turn('user', this.#view('user', message)), this.#turn('assistant', view)];
    this.#last = { view, turns, again: undefined };
    this.root.append(...turns);
    return { messages: this.#conversation.ask(message), view };
  }

  /**
   * Its writer has come to an end.
   *
   * @returns whether there is an answer; where there is none, it can be asked for again
   */
  settle({ view }: { readonly view: AnswerView }, isWhole: boolean): boolean {
    // Something else was asked since.
    if (view !== this.#last?.view) return false;
    const isAnswered = isWhole && !view.hasFailed && view.text !== '';
    if (!isAnswered) {
      this.#offer(this.#last);
      return false;
    }
    this.#conversation.answer(view.text);
    this.#last = undefined;
    return true;
  }

  /** Takes the message that has no answer out, if there is one; returns it. */
  takeBack(): string {
    for (const turn of this.#last?.turns ?? []) turn.remove();
    this.#last = undefined;
    return this.#conversation.takeBack();
  }

  /**
   * @param writer what the one who answers is called, by which its answers are signed
   * @param busy why nothing can be asked now
   */
  update(writer: string, busy: string | undefined): void {
    this.#sign(writer);
    const again = this.#last?.again;
    if (again !== undefined) allow(again, busy, this.#texts.tryAgainHint);
  }

  #sign(writer: string): void {
    if (writer === this.#writer) return;
    this.#writer = writer;
    for (const turn of this.root.querySelectorAll('[data-role="assistant"]')) {
      showText(turn.querySelector('h3')!, writer);
      turn.querySelector('pre')!.setAttribute('aria-label', visible(writer));
    }
  }

  /** Shows what can be done about a message that has no answer. */
  #offer(last: Shown): void {
    const { tryAgain, removeTurn, removeTurnHint: hint } = this.#texts;
    const again = action(tryAgain, () => this.#events.onTryAgain());
    const remove = action(removeTurn, () => this.#events.onRemove(), { hint });
    last.turns.at(-1)!.append(element('div', { class: 'toolbar' }, [again, remove]));
    this.#last = { ...last, again };
  }

  #turn(role: string, { root }: AnswerView): HTMLElement {
    return turnView(role, this.#who(role), root);
  }

  #view(role: string, text: string): AnswerView {
    return new AnswerView(this.#texts, this.#who(role), { text, status: '' }, this.#onShowLogs);
  }

  #who(role: string): string {
    return role === 'assistant' ? this.#writer : roleName(this.#texts, role);
  }
}
