import { type ErrorCode, LorafaError, messageOf } from '../../engine/errors.ts';
import type { ComputeMessage } from './compute-messages.ts';
import { type ComputeEnd, ComputeProcess } from './compute-process.ts';
import { crashReason } from './crash-reason.ts';
import type { RunRegistry } from './run-registry.ts';
import {
  initialStatus,
  isFinal,
  NEXT_STATES,
  type RunState,
  type RunStatus,
} from './run-status.ts';
import { SessionClock, statusChange } from './status-fold.ts';
import { TrainerFolder } from './trainer-folder.ts';
import type { TrainerJob } from './trainer-job.ts';
import type { RunAction } from './trainer-protocol.ts';
import { untilTurn } from './turn.ts';

/** How long a cancelled run may take to end its step before its process is ended. */
const CANCEL_GRACE_MS = 10_000;

/** What a supervisor works with. */
export interface SupervisorOptions {
  readonly job: TrainerJob;
  /** Where the trainer listens. */
  readonly address: string;
  /** The built `compute.ts`. */
  readonly computeScript: string;
  readonly registry: RunRegistry;
  /** Called after every change of the status. */
  readonly onStatus: (status: RunStatus) => void;
  /** Called after journal or log grew. */
  readonly onGrew: () => void;
}

/** The states in which each action makes sense. */
const ACTION_STATES: { readonly [K in RunAction]: readonly RunState[] } = {
  pause: ['running', 'pausing', 'paused'],
  resume: ['pausing', 'paused', 'running'],
  stop: ['queued', 'preparing', 'running', 'pausing', 'paused', 'stopping'],
  cancel: ['queued', 'preparing', 'running', 'pausing', 'paused', 'stopping'],
  checkpoint: ['running', 'pausing', 'paused'],
};

/**
 * Leads one run from its place in the queue to its end. It owns the record of the run (lock, state,
 * heartbeat, log) and the state machine; the computing is done by a child process, because ONNX
 * Runtime blocks the event loop while it computes, may abort the process, and gives GPU memory back
 * only at its end. So requests are answered at once whatever the step is doing, and no crash of
 * native code can take the record down or leave a run without a stored reason.
 */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #folder: TrainerFolder;
  readonly #clock = new SessionClock();
  readonly #leaveQueue = new AbortController();
  #status: RunStatus;
  #process: ComputeProcess | undefined;
  #pauses = 0;
  #isCancelled = false;
  #loss: LorafaError | undefined;
  #grace: NodeJS.Timeout | undefined;

  private constructor(options: SupervisorOptions, folder: TrainerFolder, status: RunStatus) {
    this.#options = options;
    this.#folder = folder;
    this.#status = status;
    void folder.lost.then((error) => this.#lose(error));
  }

  /**
   * Takes on a run: from here on its folder tells of it.
   *
   * @throws LorafaError `output.in_use`, `output.not_writable`
   */
  static async open(options: SupervisorOptions): Promise<Supervisor> {
    const { job, address, registry } = options;
    const status = initialStatus('queued', new Date().toISOString());
    const folder = await TrainerFolder.claim(job, address, status);
    const supervisor = new Supervisor(options, folder, status);
    try {
      await registry.add({ folder: folder.path, configFile: job.configFile });
    } catch (error) {
      await supervisor.#fail(error);
      throw error;
    }
    supervisor.#log('info', `state queued (process ${process.pid})`);
    return supervisor;
  }

  get folder(): string {
    return this.#folder.path;
  }

  get status(): RunStatus {
    return this.#status;
  }

  /** Does the run; resolves when it has come to its end, of whatever kind, and all is stored. */
  async run(): Promise<RunStatus> {
    try {
      if (this.#options.job.whenBusy === 'queue') await this.#untilTurn();
      if (this.#loss !== undefined) throw this.#loss;
      if (this.#isCancelled) {
        this.#enter('cancelled');
      } else {
        this.#enter('preparing');
        this.#finish(await this.#compute());
      }
    } catch (error) {
      return this.#fail(error);
    }
    return this.#close();
  }

  /** Instead of {@link run}: ends a run that was taken on and that nobody knows to have begun. */
  abandon(): Promise<RunStatus> {
    const message =
      'The run was not begun: the window that asked for it was gone, or had given up, before the process of the run was ready; start it again.';
    return this.#fail(new LorafaError('training.no_answer', message));
  }

  #fail(error: unknown): Promise<RunStatus> {
    const code: ErrorCode = error instanceof LorafaError ? error.code : 'internal.unexpected';
    this.#enter('failed', { reason: { code, message: messageOf(error) } });
    return this.#close();
  }

  /**
   * Steers the run; see `trainerControl`.
   *
   * @throws LorafaError `usage.invalid` where the state does not allow it
   */
  act(action: RunAction): RunStatus {
    const { state } = this.#status;
    if (!ACTION_STATES[action].includes(state)) throw notNow(action, state);
    this.#log('info', `asked to ${action}`);
    switch (action) {
      case 'pause':
        this.#pause();
        break;
      case 'resume':
        if (state !== 'running') this.#enter('running');
        this.#clock.resume();
        this.#process?.send({ type: 'resume' });
        break;
      case 'checkpoint':
        this.#process?.send({ type: 'checkpoint' });
        break;
      case 'stop':
      case 'cancel':
        this.#end(action);
        break;
    }
    return this.#status;
  }

  #pause(): void {
    if (this.#status.state !== 'running') return;
    this.#enter('pausing');
    this.#pauses += 1;
    this.#process?.send({ type: 'pause', id: this.#pauses });
  }

  #end(action: 'stop' | 'cancel'): void {
    switch (this.#status.state) {
      case 'queued':
        this.#isCancelled = true;
        this.#leaveQueue.abort();
        break;
      case 'preparing':
        // Nothing of this session is on disk yet, and loading hears no requests.
        this.#isCancelled = true;
        this.#process?.kill();
        break;
      case 'stopping':
        if (action === 'stop') break;
        if (this.#isCancelled) this.#process?.kill();
        else this.#cancel();
        break;
      default:
        this.#enter('stopping');
        if (action === 'stop') this.#process?.send({ type: 'stop' });
        else this.#cancel();
    }
  }

  #cancel(): void {
    this.#isCancelled = true;
    this.#process?.send({ type: 'cancel' });
    this.#grace = setTimeout(() => this.#process?.kill(), CANCEL_GRACE_MS);
  }

  async #close(): Promise<RunStatus> {
    await this.#folder.close(this.#status);
    this.#options.onStatus(this.#status);
    return this.#status;
  }

  /** Another process has the run folder: from here on nothing of this run may go on. */
  #lose(error: LorafaError): void {
    this.#loss = error;
    this.#leaveQueue.abort();
    this.#process?.kill();
  }

  async #untilTurn(): Promise<void> {
    const { signal } = this.#leaveQueue;
    const place = { folder: this.folder, queued: this.#folder.queued };
    try {
      await untilTurn(
        this.#options.registry,
        place,
        (waitsFor) => this.#update({ waitsFor }),
        signal,
      );
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  async #compute(): Promise<ComputeEnd> {
    const { computeScript, job } = this.#options;
    this.#process = new ComputeProcess(computeScript, job, {
      onMessage: (message) => this.#receive(message),
      onOutput: (line) => this.#log('output', line),
    });
    this.#log('info', `computing in process ${this.#process.pid}`);
    const end = await this.#process.ended;
    clearTimeout(this.#grace);
    return end;
  }

  #receive(message: Exclude<ComputeMessage, { type: 'ended' | 'failed' }>): void {
    const heard = new Date().toISOString();
    if (message.type === 'held') {
      if (message.id !== this.#pauses || this.#status.state !== 'pausing') return;
      this.#clock.pause();
      this.#enter('paused', { heard });
      return;
    }
    const { event, memory } = message;
    const change = { ...statusChange(event), memory, heard };
    if (event.type === 'started' && this.#status.state === 'preparing') {
      this.#clock.start(event.run.resumedAt);
      this.#enter('running', change);
    } else if (event.type === 'step') {
      const etaSeconds = this.#clock.secondsLeft(event.step, event.maxSteps);
      this.#update({ ...change, etaSeconds });
    } else {
      // What the evaluation before the first step took says nothing of the steps.
      if (event.type === 'eval' && event.step === 0) this.#clock.start(0);
      this.#update(change);
    }
    if (event.type === 'started') {
      this.#log('info', `computing on ${event.run.device} (${event.run.compute})`);
    }
    if (event.type === 'warning') this.#log('warning', event.message);
    if (event.type === 'checkpoint') this.#log('info', `checkpoint ${event.dir}`);
    this.#options.onGrew();
  }

  #finish(end: ComputeEnd): void {
    const { outcome } = end;
    if (this.#loss !== undefined) throw this.#loss;
    if (outcome?.type === 'ended') this.#enter(outcome.status);
    else if (this.#isCancelled) this.#enter('cancelled');
    else {
      const { code, message } = outcome ?? crashReason(end);
      this.#enter('failed', { reason: { code, message } });
    }
  }

  #enter(state: RunState, change: Partial<RunStatus> = {}): void {
    const from = this.#status.state;
    if (!NEXT_STATES[from].includes(state)) {
      throw new LorafaError('internal.unexpected', `A run cannot go from ${from} to ${state}.`);
    }
    const reason = change.reason == null ? '' : `: ${change.reason.message}`;
    this.#log(state === 'failed' ? 'error' : 'info', `state ${state}${reason}`);
    const ended = isFinal(state) ? { progress: null, etaSeconds: null, waitsFor: null } : {};
    const started = state === 'preparing' ? { waitsFor: null } : {};
    const since = new Date().toISOString();
    this.#update({ ...ended, ...started, ...change, state, since });
  }

  #update(change: Partial<RunStatus>): void {
    const hasNewState = change.state !== undefined && change.state !== this.#status.state;
    this.#status = { ...this.#status, ...change };
    // The final status is told once the folder is complete and free for the next run.
    if (isFinal(this.#status.state)) return;
    this.#folder.store(this.#status, hasNewState);
    this.#options.onStatus(this.#status);
  }

  #log(level: 'info' | 'warning' | 'error' | 'output', text: string): void {
    void this.#folder.addToLog(level, text).then(this.#options.onGrew);
  }
}

function notNow(action: RunAction, state: RunState): LorafaError {
  const wayOut = isFinal(state)
    ? 'it has ended; start it again or resume it from a checkpoint'
    : state === 'stopping'
      ? 'it is about to end'
      : 'try again when its first step has started';
  return new LorafaError(
    'usage.invalid',
    `The run cannot do "${action}" while it is ${state}: ${wayOut}.`,
  );
}
