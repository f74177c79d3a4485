import type { HubError } from './hub-error.ts';

/** Ends a request in which nothing happens, or that nobody waits for any more. */
export class Silence {
  readonly #abort = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #given: AbortSignal | undefined;

  constructor(milliseconds: number, given: AbortSignal | undefined) {
    this.#given = given;
    this.#timer = setTimeout(
      () => this.#abort.abort(new DOMException('no answer in time', 'TimeoutError')),
      milliseconds,
    );
    // A process that has nothing else to do has no reason to wait.
    this.#timer.unref();
  }

  /** Aborts the request. */
  get signal(): AbortSignal {
    const { signal } = this.#abort;
    return this.#given === undefined ? signal : AbortSignal.any([signal, this.#given]);
  }

  /** Nothing is waited for any more. */
  end(): void {
    clearTimeout(this.#timer);
  }

  /** What is sent, piece by piece, and who is told of it. */
  async *sent(
    pieces: AsyncIterable<Uint8Array>,
    onSent: (bytes: number) => void,
  ): AsyncGenerator<Uint8Array> {
    for await (const piece of pieces) {
      yield piece;
      // It is asked for the next one when this one is on its way.
      this.#timer.refresh();
      onSent(piece.byteLength);
    }
  }

  /**
   * What comes, piece by piece.
   *
   * @param broken the error to throw for what breaks off
   */
  async *watch(
    body: Response['body'],
    broken: (error: unknown) => HubError,
  ): AsyncGenerator<Uint8Array> {
    try {
      if (body === null) return;
      for await (const piece of body) {
        this.#timer.refresh();
        yield piece;
        // Whoever takes long with a piece is not the server.
        this.#timer.refresh();
      }
    } catch (error) {
      this.#given?.throwIfAborted();
      throw broken(error);
    } finally {
      this.end();
    }
  }
}
