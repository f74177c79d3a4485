import type {
  GenerateRequest,
  PlaygroundNews,
  PlaygroundRequest,
  Writer,
} from '../../extension/playground/playground-messages.ts';
import type { AnswerView } from './answer-view.ts';

/** A text that is wanted, and where it is shown. */
export interface WantedAnswer {
  readonly writer: Writer;
  readonly view: AnswerView;
}

/** News about a text. */
export type TextNews = Extract<PlaygroundNews, { readonly slot: string }>;

/** The texts that are being written, wherever on the page they are shown. */
export class Writing {
  readonly #send: (request: PlaygroundRequest) => void;
  readonly #onChange: () => void;
  readonly #views = new Map<string, { readonly view: AnswerView; readonly end: () => void }>();
  #count = 0;

  /** @param onChange called when the first text begins and when the last one ends */
  constructor(send: (request: PlaygroundRequest) => void, onChange: () => void) {
    this.#send = send;
    this.#onChange = onChange;
  }

  get isBusy(): boolean {
    return this.#views.size > 0;
  }

  /** Lets all of them write, and resolves when each has come to its end. */
  async write(
    request: Omit<GenerateRequest, 'type' | 'texts'>,
    wanted: readonly WantedAnswer[],
  ): Promise<void> {
    const ends: Promise<void>[] = [];
    const texts = wanted.map(({ writer, view }) => {
      this.#count += 1;
      const slot = `${this.#count}`;
      view.start();
      ends.push(new Promise((end) => this.#views.set(slot, { view, end })));
      return { ...writer, slot };
    });
    this.#send({ type: 'generate', ...request, texts });
    this.#onChange();
    await Promise.all(ends);
  }

  stop(): void {
    this.#send({ type: 'stop' });
  }

  receive(news: TextNews): void {
    const found = this.#views.get(news.slot);
    if (found === undefined) return;
    const { view, end } = found;
    switch (news.type) {
      case 'loading':
        view.showLoading(news.share);
        return;
      case 'piece':
        view.add(news.text);
        return;
      case 'done':
        view.finish(news.answer);
        break;
      case 'failed':
        view.fail(news.message);
        break;
    }
    this.#views.delete(news.slot);
    end();
    if (!this.isBusy) this.#onChange();
  }
}
