import type { FolderMove } from '../../extension/folder-move.ts';
import type {
  GenerateRequest,
  PlaygroundNews,
  PlaygroundRequest,
  Writer,
} from '../../extension/playground/playground-messages.ts';
import type { GenerationAnswer } from '../../server/protocol/generation.ts';
import { movedWriter } from './by-writer.ts';

/** Where a text is shown while it is written. */
export interface TextPlace {
  /** @param by who writes it */
  start(by?: string): void;
  /** @param share of the model that is loaded, 0 to 1 */
  showLoading(share: number): void;
  add(piece: string): void;
  finish(answer: GenerationAnswer): void;
  fail(message: string): void;
  /** No more of it is waited for. */
  interrupt(): void;
}

/** A text that is wanted, and where it is shown. */
export interface WantedAnswer {
  readonly writer: Writer;
  /** See `NamedWriter`; undefined where it stays what it is whoever is picked. */
  readonly by?: string;
  readonly view: TextPlace;
}

/** News about a text. */
export type TextNews = Extract<PlaygroundNews, { readonly slot: string }>;

/** The texts that are being written, wherever on the page they are shown. */
export class Writing {
  readonly #send: (request: PlaygroundRequest) => void;
  readonly #onChange: () => void;
  readonly #views = new Map<
    string,
    {
      readonly view: TextPlace;
      by: string | undefined;
      readonly end: (isWhole: boolean) => void;
    }
  >();
  #count = 0;

  /** @param onChange called when the first text begins and when the last one ends */
  constructor(send: (request: PlaygroundRequest) => void, onChange: () => void) {
    this.#send = send;
    this.#onChange = onChange;
  }

  get isBusy(): boolean {
    return this.#views.size > 0;
  }

  /**
   * Lets all of them write instead of what is being written, and resolves when each has come to its end.
   *
   * @returns false where something else has taken their place
   */
  async write(
    request: Omit<GenerateRequest, 'type' | 'texts'>,
    wanted: readonly WantedAnswer[],
  ): Promise<boolean> {
    this.#leave();
    const ends: Promise<boolean>[] = [];
    const texts = wanted.map(({ writer, by, view }) => {
      this.#count += 1;
      const slot = `${this.#count}`;
      view.start(by);
      ends.push(new Promise((end) => this.#views.set(slot, { view, by, end })));
      return { ...writer, slot };
    });
    this.#send({ type: 'generate', ...request, texts });
    this.#onChange();
    return (await Promise.all(ends)).every(Boolean);
  }

  /** Ends the texts with what there is of them. */
  stop(): void {
    this.#send({ type: 'stop' });
  }

  /** Gives the texts up: their places are wanted for something else. */
  drop(): void {
    if (!this.isBusy) return;
    this.#leave();
    this.stop();
    this.#onChange();
  }

  /**
   * Gives the texts up if one of them is by somebody who is not asked any more: it would stand under the name of
   * another one.
   *
   * @param writers see `NamedWriter`
   */
  dropUnlessBy(writers: readonly string[]): void {
    const texts = [...this.#views.values()];
    if (texts.some(({ by }) => by !== undefined && !writers.includes(by))) this.drop();
  }

  /** An adapter has another name, and goes on writing. */
  follow(move: FolderMove): void {
    for (const text of this.#views.values()) text.by &&= movedWriter(text.by, move);
  }

  /** What still comes of them would be taken for a part of what stands there then. */
  #leave(): void {
    for (const { view, end } of this.#views.values()) {
      view.interrupt();
      end(false);
    }
    this.#views.clear();
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
    end(true);
    // First those go on who wait for the texts: what is shown then may be another writer's.
    if (!this.isBusy) setTimeout(this.#onChange);
  }
}
