import type { ProgressEvent } from '../../engine/plan/plan-reports.ts';
import type { TrainEvent } from '../../engine/train/events.ts';
import { downloadText } from '../progress-text.ts';
import type { RunStatus } from './run-status.ts';

/** The parts of a status that an event of the run changes; the state is not among them. */
export function statusChange(event: TrainEvent): Partial<Omit<RunStatus, 'state'>> {
  switch (event.type) {
    case 'progress':
      return { progress: progressOf(event) };
    case 'started':
      return {
        progress: null,
        reason: null,
        verdict: null,
        resultStep: null,
        step: event.run.resumedAt,
        maxSteps: event.run.steps,
        device: event.run.device,
      };
    case 'step':
      return { progress: null, step: event.step, maxSteps: event.maxSteps, loss: event.loss };
    case 'eval':
      // What the run began with says nothing of what it has learned.
      if (event.step === 0) return { progress: null };
      // One that is no number is told as none.
      return {
        progress: null,
        evalLoss: Number.isFinite(event.eval_loss) ? event.eval_loss : null,
      };
    case 'verdict':
      return { verdict: event.verdict };
    case 'checkpoint':
      return { checkpoint: event.dir };
    case 'stopped':
    case 'cancelled':
      return { step: event.step };
    case 'failed':
      return { reason: { code: event.code, message: event.message } };
    case 'completed':
      return {
        step: event.steps,
        resultStep: event.result_step ?? null,
        reason: null,
        ...(event.loss !== undefined && { loss: event.loss }),
        ...(event.eval_loss !== undefined && { evalLoss: event.eval_loss }),
      };
    case 'sample':
    case 'warning':
      return {};
  }
}

function progressOf(event: ProgressEvent): RunStatus['progress'] {
  const { task, done, total } = event;
  const download = downloadText(event);
  return { task, done, total, ...(download !== undefined && { download }) };
}

/** Tells the time left of a run by the rate of this session, in which pauses do not count. */
export class SessionClock {
  #firstStep = 0;
  #seconds = 0;
  #since: number | undefined;

  /** Begins a session, or its training, at the number of steps that are done already. */
  start(firstStep: number): void {
    this.#firstStep = firstStep;
    this.#seconds = 0;
    this.#since = undefined;
    this.resume();
  }

  pause(): void {
    this.#seconds = this.#elapsed();
    this.#since = undefined;
  }

  resume(): void {
    this.#since ??= performance.now();
  }

  /** Seconds left; null before the first step of the session. */
  secondsLeft(step: number, maxSteps: number): number | null {
    const done = step - this.#firstStep;
    return done <= 0 ? null : ((maxSteps - step) * this.#elapsed()) / done;
  }

  #elapsed(): number {
    const running = this.#since === undefined ? 0 : (performance.now() - this.#since) / 1000;
    return this.#seconds + running;
  }
}
