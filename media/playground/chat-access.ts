import { type FolderMove, movedPath } from '../../extension/folder-move.ts';
import type {
  ChatNews,
  ChatSubject,
  PlaygroundRequest,
} from '../../extension/playground/playground-messages.ts';

/** Whether one can chat with whoever is picked, which the files of the model and of the adapter say. */
export class ChatAccess {
  readonly #send: (request: PlaygroundRequest) => void;
  #subject: ChatSubject = { model: '', adapter: null };
  #hasTemplate: boolean | null | undefined;

  constructor(send: (request: PlaygroundRequest) => void) {
    this.#send = send;
  }

  /** Whether the answer is still to come. */
  get isOpen(): boolean {
    return this.#subject.model !== '' && this.#hasTemplate === undefined;
  }

  /** Whether there is no chat template. Where nobody knows, one may try. */
  get isDenied(): boolean {
    return this.#hasTemplate === false;
  }

  /** This one is picked: asks, unless it is the one that was picked before. */
  pick(subject: ChatSubject): void {
    if (!isSame(subject, this.#subject)) this.look(subject);
  }

  /** Asks, since the files may be others; what is known holds until the answer comes. */
  look(subject: ChatSubject): void {
    if (!isSame(subject, this.#subject)) this.#hasTemplate = undefined;
    this.#subject = subject;
    if (subject.model !== '') this.#send({ type: 'chat', ...subject });
  }

  /** An adapter has another name, and the same files. */
  follow(move: FolderMove): void {
    const { model, adapter } = this.#subject;
    const moved = { model, adapter: adapter && movedPath(adapter, move) };
    if (isSame(moved, this.#subject)) return;
    this.#subject = moved;
    // The answer to a question under way is about the old name.
    if (this.#hasTemplate === undefined) this.look(moved);
  }

  /** @returns whether it says of the one who is picked what was not known */
  receive(news: ChatNews): boolean {
    if (!isSame(news, this.#subject) || news.hasTemplate === this.#hasTemplate) return false;
    this.#hasTemplate = news.hasTemplate;
    return true;
  }
}

function isSame(one: ChatSubject, other: ChatSubject): boolean {
  return one.model === other.model && one.adapter === other.adapter;
}
