import type { Turn } from '../../extension/playground/playground-messages.ts';

/** What was said to one model, and by it. A message that has no answer is no part of what the next one is answered by. */
export class Conversation {
  /** Those that the model sees, up to its last answer. */
  turns: readonly Turn[] = [];
  #asked: string | undefined;

  /** The message that is being answered, or whose answer has failed. */
  get asked(): string | undefined {
    return this.#asked;
  }

  /** Whether nothing was said. */
  get isEmpty(): boolean {
    return this.turns.length === 0 && this.#asked === undefined;
  }

  /** @returns what the model is to answer: all turns, and this message in the place of one without an answer */
  ask(message: string): readonly Turn[] {
    this.#asked = message;
    return [...this.turns, { role: 'user', content: message }];
  }

  /** What was asked is answered. */
  answer(text: string): void {
    if (this.#asked === undefined) return;
    this.turns = [...this.ask(this.#asked), { role: 'assistant', content: text }];
    this.#asked = undefined;
  }

  /** Takes the message that has no answer out; returns it. */
  takeBack(): string {
    const message = this.#asked ?? '';
    this.#asked = undefined;
    return message;
  }
}
