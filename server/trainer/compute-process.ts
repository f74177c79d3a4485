import { type ChildProcess, fork } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { withoutToken } from '../../engine/hub/hub-token.ts';
import {
  type ComputeMessage,
  type ComputeRequest,
  parseComputeMessage,
} from './compute-messages.ts';
import { withHeapEnvironment } from './heap-environment.ts';
import type { TrainerJob } from './trainer-job.ts';

/** How a computing process ended. */
export interface ComputeEnd {
  /** What it said last, if that was an end. */
  readonly outcome: Extract<ComputeMessage, { type: 'ended' | 'failed' }> | undefined;
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The last line of its output, which is where native libraries say why they abort. */
  readonly lastOutput: string | undefined;
}

/** Who listens to a computing process. */
export interface ComputeListener {
  onMessage(message: Exclude<ComputeMessage, { type: 'ended' | 'failed' }>): void;
  /** A line that the process or one of its libraries printed. */
  onOutput(line: string): void;
}

/** The child process in which a run computes. */
export class ComputeProcess {
  /** Resolves when the process is gone and all it had to say was heard. */
  readonly ended: Promise<ComputeEnd>;
  readonly #child: ChildProcess;
  readonly #listener: ComputeListener;
  #outcome: ComputeEnd['outcome'];
  #lastOutput: string | undefined;

  /** @param script the built `compute.ts`; another one only in tests */
  constructor(
    script: string,
    { config, hubToken }: Pick<TrainerJob, 'config' | 'hubToken'>,
    listener: ComputeListener,
  ) {
    this.#listener = listener;
    this.#child = fork(script, {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      execArgv: [],
      env: withHeapEnvironment(withoutToken()),
    });
    this.#child.on('message', (message) => this.#receive(message));
    this.#listen(this.#child.stdout!);
    this.#listen(this.#child.stderr!);
    this.ended = new Promise((resolve) => {
      const end = (exitCode: number | null, signal: NodeJS.Signals | null): void =>
        resolve({ outcome: this.#outcome, exitCode, signal, lastOutput: this.#lastOutput });
      this.#child.on('close', end);
      this.#child.on('error', (error) => {
        this.#output(error.message);
        // A process that never started does not close.
        if (this.#child.pid === undefined) end(null, null);
      });
    });
    this.send({ type: 'start', config, hubToken });
  }

  /** The process's id; undefined when it could not be started. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Sends a request; one to a process that is gone is lost, as `ended` tells. */
  send(request: ComputeRequest): void {
    if (this.#child.connected) this.#child.send(request, () => undefined);
  }

  /** Ends the process at once. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #receive(raw: unknown): void {
    const message = parseComputeMessage(raw);
    if (message === undefined) {
      this.#output(`Not understood: ${JSON.stringify(raw)?.slice(0, 200)}`);
    } else if (message.type === 'ended' || message.type === 'failed') {
      this.#outcome = message;
    } else {
      this.#listener.onMessage(message);
    }
  }

  #listen(stream: Readable): void {
    createInterface({ input: stream }).on('line', (line) => {
      // Native libraries print in colours.
      this.#output(stripVTControlCharacters(line));
    });
  }

  #output(line: string): void {
    if (line.trim() === '') return;
    this.#lastOutput = line;
    this.#listener.onOutput(line);
  }
}
