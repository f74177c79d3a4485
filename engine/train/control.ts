/** What the loop is asked to do at the end of the current optimizer step. */
export type StopRequest = 'stop' | 'cancel';

/**
 * How others steer a running training loop. Requests take effect between two optimizer steps, so
 * that no step is ever half done; a stop also ends an evaluation or a sample that goes on.
 */
export class TrainControl {
  #stop: StopRequest | undefined;
  #checkpoint = false;
  #paused = false;
  #wake: (() => void) | undefined;
  #onAbandon: (() => void) | undefined;
  readonly #abort = new AbortController();
  readonly #onHeld: () => void;

  /** @param onHeld called each time the loop begins to wait because it is paused */
  constructor(onHeld: () => void = () => undefined) {
    this.#onHeld = onHeld;
  }

  /** The stop that was asked for, if any. */
  get stopRequested(): StopRequest | undefined {
    return this.#stop;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** Aborts with the first stop, for what may end in the middle. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** What {@link abandon} does; nothing by default. */
  set onAbandon(action: (() => void) | undefined) {
    this.#onAbandon = action;
  }

  /** Holds the loop after the current step until {@link resume} or a stop. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#wake?.();
  }

  /** Ends the run after the current step; `stop` saves a checkpoint, `cancel` does not. */
  stop(request: StopRequest = 'stop'): void {
    this.#stop = request;
    this.#abort.abort();
    this.#wake?.();
  }

  /** Leaves a note that the run was cancelled, since the process ends at once. */
  abandon(): void {
    this.#onAbandon?.();
  }

  /** Asks for a checkpoint after the current step. */
  checkpoint(): void {
    this.#checkpoint = true;
    this.#wake?.();
  }

  /** Whether a checkpoint was asked for since the last call. */
  takeCheckpointRequest(): boolean {
    const requested = this.#checkpoint;
    this.#checkpoint = false;
    return requested;
  }

  /** Resolves when the loop may go on: at once, or at the next request while paused. */
  async untilWoken(): Promise<void> {
    if (!this.#paused || this.#stop !== undefined || this.#checkpoint) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      this.#onHeld();
    });
    this.#wake = undefined;
  }
}
