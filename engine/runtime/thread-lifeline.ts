import type { MessagePort } from 'node:worker_threads';

/**
 * Tells whether a thread is there, without the event loop by which Node tells it: a thread is given one end of a
 * channel, which closes when its thread ends, however it ends.
 */
export class Lifeline {
  readonly #end: MessagePort;

  /** @param end the other one has to be the thread's */
  constructor(end: MessagePort) {
    this.#end = end;
    end.unref();
  }

  get isCut(): boolean {
    // Node returns whether there is another end, which is not in its documentation. One that returns nothing says nothing.
    const isHeard: unknown = this.#end.postMessage(null);
    return isHeard === false;
  }
}
