import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { stripVTControlCharacters } from 'node:util';
import { z } from 'zod';
import { type ErrorCode, LorafaError } from '../errors.ts';
import type { RankCommand } from './rank-commands.ts';

/** Lines of output that are kept, for the log of a run that fails. */
const KEPT_LINES = 40;

/** What a process says instead of an answer, when it can go on no more. */
const failureSchema = z.object({
  failed: z.object({
    code: z.enum([
      'python.missing_package',
      'python.wrong_version',
      'device.unavailable',
      'model.unsupported',
      'training.rank_died',
    ]),
    message: z.string(),
  }),
});

/** How a process of a run ended. */
export interface RankEnd {
  readonly error: LorafaError;
  /** It said nothing of its end, so that others may have failed for want of it. */
  readonly isSudden: boolean;
}

/** One process of a run on Accelerate. It answers commands in their order. */
export class Rank {
  /** Resolves when the process is gone, or cannot go on. */
  readonly ended: Promise<RankEnd>;
  /** Resolves when there is no process any more. */
  readonly gone: Promise<void>;
  readonly #child: ChildProcess;
  readonly #name: string;
  readonly #output: string[] = [];
  readonly #waiting: ((answer: unknown) => void)[] = [];
  #tellEnd!: (end: RankEnd) => void;

  /** @param name how it is called in sentences: `The process of rank 1 of 2` */
  constructor(name: string, { command, args, env }: RankCommand) {
    this.#name = name;
    this.ended = new Promise((resolve) => {
      this.#tellEnd = resolve;
    });
    // A group of its own: Ctrl+C in a terminal is for whoever saves a checkpoint first.
    const child = spawn(command, args, {
      env,
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
      windowsHide: true,
    });
    this.#child = child;
    child.stdin.on('error', () => undefined);
    createInterface({ input: child.stdout }).on('line', (line) => this.#hear(line));
    createInterface({ input: child.stderr }).on('line', (line) => this.#keep(line));
    this.gone = new Promise((resolve) => {
      child.on('close', () => resolve());
      child.on('error', () => child.pid === undefined && resolve());
    });
    child.on('error', (cause) => {
      if (child.pid !== undefined) return;
      const message = `Python cannot be started as "${command}" (${cause.message}); install it, or name it by accelerate.python or the variable LORAFA_PYTHON.`;
      this.#end('python.not_found', message);
    });
    child.on('close', (code, signal) => {
      const how = signal === null ? `with exit code ${code}` : `by ${signal}`;
      const words = this.#output.at(-1);
      const last = words === undefined ? '' : `, its last words: ${words}`;
      const message = `${name} of the run ended ${how}${last}; resume the run from its latest checkpoint.`;
      this.#end('training.rank_died', message, true);
    });
  }

  /** Sends a command; resolves with what the process answers, and never where it ends before. */
  ask(command: object): Promise<unknown> {
    this.#child.stdin!.write(`${JSON.stringify(command)}\n`);
    return this.answer();
  }

  /** What the process says next. */
  answer(): Promise<unknown> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  /** Ends the process at once. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #hear(line: string): void {
    let answer: unknown;
    try {
      answer = JSON.parse(line);
    } catch {
      this.#keep(line);
      return;
    }
    const { data } = failureSchema.safeParse(answer);
    if (data === undefined) {
      this.#waiting.shift()?.(answer);
      return;
    }
    const { code, message } = data.failed;
    const isOfRank = code === 'training.rank_died';
    const sentence = `${this.#name} of the run failed: ${message}; resume the run from its latest checkpoint.`;
    this.#end(code, isOfRank ? sentence : message);
  }

  #keep(line: string): void {
    const text = stripVTControlCharacters(line).trimEnd();
    if (text === '') return;
    this.#output.push(text);
    if (this.#output.length > KEPT_LINES) this.#output.shift();
  }

  /** The first end is the one that counts. */
  #end(code: ErrorCode, message: string, isSudden = false): void {
    const detail = this.#output.join('\n');
    const error = new LorafaError(code, message, detail === '' ? {} : { detail });
    this.#tellEnd({ error, isSudden });
  }
}
