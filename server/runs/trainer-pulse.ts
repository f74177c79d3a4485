import { formatDuration } from '../format.ts';
import type { RunState, RunStatus } from '../trainer/run-status.ts';

/** A computation may be silent so long without a word about it, in seconds. */
const PATIENCE_SECONDS = 60;

/** And for as long as so many steps take: an evaluation or a large model's checkpoint takes a while. */
const PATIENCE_STEPS = 20;

/** The states in which a run is heard of with every step. */
const COMPUTING: ReadonlySet<RunState> = new Set(['running', 'pausing', 'stopping']);

/** Whose pulse is felt. */
export interface PulseOptions {
  /** Process of the trainer. */
  readonly pid: number;
  /** Asks the trainer where its run stands; rejects where it does not answer. */
  readonly ask: () => Promise<RunStatus>;
  /** How long to wait between an answer and the next question, in milliseconds. */
  readonly intervalMs: number;
  /** Called when {@link TrainerPulse.unheard} has changed. */
  readonly onChanged: () => void;
}

/**
 * Asks a trainer now and then whether it is there. One that is halted (SIGSTOP, a container that is
 * frozen) keeps its connection and says nothing, as one whose step takes long; and it answers for a
 * computation that is halted or hangs.
 */
export class TrainerPulse {
  readonly #options: PulseOptions;
  #timer: NodeJS.Timeout | undefined;
  #unheard: string | null = null;
  #hasEnded = false;

  constructor(options: PulseOptions) {
    this.#options = options;
    this.#wait();
  }

  /** Why nothing new comes of the run, a sentence for people; null where it does. */
  get unheard(): string | null {
    return this.#unheard;
  }

  /** Takes what the trainer has said by itself. */
  hear(status: RunStatus): void {
    this.#unheard = silenceOf(status);
  }

  end(): void {
    this.#hasEnded = true;
    clearTimeout(this.#timer);
  }

  #wait(): void {
    this.#timer = setTimeout(() => void this.#beat(), this.#options.intervalMs);
  }

  async #beat(): Promise<void> {
    const { ask, pid, onChanged } = this.#options;
    const unheard = await ask().then(
      (status) => silenceOf(status),
      () =>
        `The process that leads this run (${pid}) does not answer, as when it is halted; let it go on, or end it and resume the run from its last checkpoint.`,
    );
    if (this.#hasEnded) return;
    const isNews = unheard !== this.#unheard;
    this.#unheard = unheard;
    if (isNews) onChanged();
    this.#wait();
  }
}

/**
 * What there is to say about the silence of a run's computation; null where it is not silent for
 * longer than its steps explain.
 *
 * @param now in milliseconds since 1970
 */
export function silenceOf(status: RunStatus, now = Date.now()): string | null {
  const { state, heard, etaSeconds, step, maxSteps } = status;
  // Before the first step of a session nobody knows how long one takes.
  if (!COMPUTING.has(state) || heard === null || etaSeconds === null) return null;
  const seconds = (now - Date.parse(heard)) / 1000;
  const stepSeconds = etaSeconds / Math.max(1, maxSteps - step);
  if (seconds < Math.max(PATIENCE_SECONDS, PATIENCE_STEPS * stepSeconds)) return null;
  const [silence, usual] = [seconds, Math.max(1, stepSeconds)].map(formatDuration);
  return `Nothing was heard of the computation for more than ${silence}, where a step takes about ${usual}: it may be halted or hang; wait, or discard what it does now and resume the run from its last checkpoint.`;
}
