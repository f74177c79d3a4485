import type { JournalEntry } from '../../engine/train/journal-entry.ts';
import { initialStatus, isFinal, type RunState, type RunStatus } from '../trainer/run-status.ts';
import { statusChange } from '../trainer/status-fold.ts';
import { JournalReader } from './journal-reader.ts';
import { moreTelling, type Session, withEnd } from './session.ts';

/** The losses at a checkpoint; null where nothing was measured. */
export interface Losses {
  readonly loss: number | null;
  /** Of the evaluation at that very step. */
  readonly evalLoss: number | null;
}

/** Checkpoints whose losses are kept: many times what a run folder holds. */
const MAX_CHECKPOINTS = 10_000;

/**
 * The sessions of a run as its journal tells them, each as far as it came. It is the truth about
 * all but the present one: a state file knows only the last that somebody asked for, be it one that
 * was refused.
 */
export class RunSessions {
  readonly #journal: JournalReader;
  #restarts = 0;
  #latest: Session | undefined;
  #earlier: Session | undefined;
  #began: string | null = null;
  /** Of the sessions before the latest. */
  #seconds = 0;
  #evaluation: { readonly step: number; readonly loss: number | null } | undefined;
  readonly #losses = new Map<number, Losses>();

  constructor(folder: string) {
    this.#journal = new JournalReader(folder, { skimsSteps: true });
  }

  /** What is wrong with the journal as far as it was read; null if nothing. */
  get problem(): string | null {
    return this.#journal.problem;
  }

  /** The session that the journal ends with; undefined while it tells of none. */
  get latest(): Session | undefined {
    return this.#latest;
  }

  /** Of those before it, the one that tells what came of the run until then. */
  get earlier(): Session | undefined {
    return this.#earlier;
  }

  /** When the first session began; null before that. */
  get began(): string | null {
    return this.#began;
  }

  /** How long the sessions took together, in seconds. */
  get seconds(): number {
    return this.#seconds + (this.#latest === undefined ? 0 : secondsOf(this.#latest));
  }

  /** What was measured when the checkpoint of a step was written. */
  lossesAt(step: number): Losses {
    return this.#losses.get(step) ?? { loss: null, evalLoss: null };
  }

  /** Reads on in the journal. */
  async read(): Promise<void> {
    for await (const entries of this.#journal.read()) {
      if (this.#journal.restarts !== this.#restarts) this.#forget();
      for (const entry of entries) this.#add(entry);
    }
  }

  #forget(): void {
    this.#restarts = this.#journal.restarts;
    this.#latest = undefined;
    this.#earlier = undefined;
    this.#began = null;
    this.#seconds = 0;
    this.#evaluation = undefined;
    this.#losses.clear();
  }

  #add(entry: JournalEntry): void {
    const { time } = entry;
    if (entry.type === 'started') this.#begin(time);
    this.#began ??= time;
    // The beginning of a journal may be lost.
    const session = this.#latest ?? newSession(initialStatus('running', time), time);
    const { status } = session;
    const state = stateAfter(entry);
    this.#latest = {
      ...session,
      status: {
        ...status,
        ...statusChange(entry),
        // What is made of a run long after its end is no time that it took.
        heard: isFinal(status.state) ? status.heard : time,
        ...(state !== undefined && { state, since: time }),
      },
      hasProgressed: session.hasProgressed || PROGRESS.has(entry.type),
    };
    this.#keepLosses(entry, this.#latest.status);
  }

  #begin(time: string): void {
    const before = this.#latest;
    if (before !== undefined) {
      this.#seconds += secondsOf(before);
      this.#earlier = moreTelling(this.#earlier, withEnd(before));
    }
    // Losses are known from before: the first of this session may be long to come.
    this.#latest = newSession(before?.status ?? initialStatus('running', time), time);
  }

  #keepLosses(entry: JournalEntry, { loss, evalLoss }: RunStatus): void {
    if (entry.type === 'eval') this.#evaluation = { step: entry.step, loss: evalLoss };
    if (entry.type !== 'checkpoint') return;
    const { step } = entry;
    const evaluated = this.#evaluation?.step === step ? this.#evaluation.loss : null;
    this.#losses.delete(step);
    this.#losses.set(step, { loss, evalLoss: evaluated });
    const [oldest] = this.#losses.keys();
    if (this.#losses.size > MAX_CHECKPOINTS) this.#losses.delete(oldest!);
  }
}

/** Entries that say that something was done. */
const PROGRESS: ReadonlySet<JournalEntry['type']> = new Set(['step', 'eval', 'checkpoint']);

function newSession(status: RunStatus, began: string): Session {
  return {
    began,
    status: { ...status, state: 'running', since: began, heard: began },
    hasProgressed: false,
  };
}

function secondsOf({ began, status }: Session): number {
  return Math.max(0, Date.parse(status.heard ?? began) - Date.parse(began)) / 1000;
}

function stateAfter({ type }: JournalEntry): RunState | undefined {
  if (type === 'started') return 'running';
  const isEnd =
    type === 'completed' || type === 'stopped' || type === 'cancelled' || type === 'failed';
  return isEnd ? type : undefined;
}
