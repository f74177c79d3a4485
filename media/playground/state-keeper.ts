import { throttle } from '../../server/throttle.ts';

/** How often what is being typed is kept, in milliseconds. */
const TYPED_MS = 1000;

/** Keeps what a page shows over a reload: all of it each time, which would take long at every key. */
export class StateKeeper {
  readonly #store: () => void;
  /** Something was typed that is not kept yet. */
  #isDue = false;
  readonly #settleSoon = throttle(TYPED_MS, () => this.settle());

  /** @param store keeps all of it */
  constructor(store: () => void) {
    this.#store = store;
  }

  /** Something has changed. */
  keep(): void {
    this.#isDue = false;
    this.#store();
  }

  /** Something was typed: it is kept at once or within a second, together with what follows until then. */
  keepTyped(): void {
    this.#isDue = true;
    this.#settleSoon();
  }

  /** Keeps what was typed, if it is not kept yet. */
  settle(): void {
    if (this.#isDue) this.keep();
  }
}
