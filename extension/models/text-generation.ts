import { randomUUID } from 'node:crypto';
import type * as vscode from 'vscode';
import {
  type Generation,
  type GenerationAnswer,
  generate,
  generationPiece,
  generationProgress,
  type ModelChoice,
} from '../../server/protocol/generation.ts';
import type { ServerLink } from '../server-link.ts';

/** What a model shall write. */
export type GenerationWish = ModelChoice & Omit<Generation, 'id'>;

/** Who hears of a text while it is written. */
export interface GenerationListener {
  /** The next piece; all pieces together are the answer's text. */
  onPiece(text: string): void;
  /** The model is being loaded. @param share 0 to 1 */
  onLoading?(share: number): void;
}

/** Texts that the background server's models write, each streamed to the one who asked for it. */
export class TextGeneration {
  readonly #server: ServerLink;
  readonly #listeners = new Map<string, GenerationListener>();

  constructor(server: ServerLink) {
    this.#server = server;
    server.listen(generationPiece, ({ id, text }) => this.#listeners.get(id)?.onPiece(text));
    server.listen(generationProgress, ({ id, done, total }) =>
      this.#listeners.get(id)?.onLoading?.(total === 0 ? 0 : done / total),
    );
  }

  /**
   * Lets a model write. A cancelled text is answered with what there is until then.
   *
   * @throws the server's error answer, whose message is a sentence for people
   */
  async write(
    wish: GenerationWish,
    listener: GenerationListener,
    token: vscode.CancellationToken,
  ): Promise<GenerationAnswer> {
    const id = randomUUID();
    this.#listeners.set(id, listener);
    try {
      return await this.#server.ask(generate, { ...wish, id }, token);
    } finally {
      this.#listeners.delete(id);
    }
  }
}
