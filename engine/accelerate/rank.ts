import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { z } from 'zod';
import { type ErrorCode, LorafaError } from '../errors.ts';
import { killTree } from './kill-tree.ts';
import { NAME_ANOTHER_PYTHON, pythonNotFound, type RankCommand } from './rank-commands.ts';

/** Lines of output that are kept, for whoever is told why a run fails. */
const KEPT_LINES = 40;

/** The descriptor for answers (`train.py`), which no library prints to. */
const ANSWERS = 3;

/** What a process says instead of an answer, when it can go on no more. */
const failureSchema = z.object({
  failed: z.object({
    code: z.enum([
      'python.missing_package',
      'python.wrong_version',
      'python.out_of_memory',
      'python.failed',
      'training.rank_lost',
      'device.unavailable',
      'model.unsupported',
      'config.contradiction',
    ]),
    message: z.string(),
    /** A command that brings what is missing. */
    install: z.string().optional(),
  }),
});

/** What to do about an exception of Python, which says neither where it comes from nor what is wrong. */
const WAYS_OUT: { readonly [K in ErrorCode]?: string } = {
  'python.out_of_memory':
    'lower training.per_device_train_batch_size or data.max_length, or set training.gradient_checkpointing to "layer"',
  'training.rank_lost':
    'see that every machine runs and reaches the others, and resume the run; accelerate.ddp_timeout says how long they wait for one another',
  'python.failed': 'lorafa accelerate check says whether this Python works without a model',
};

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
  readonly #child: ChildProcess | undefined;
  readonly #name: string;
  readonly #onOutput: (line: string) => void;
  readonly #output: string[] = [];
  readonly #waiting: ((answer: unknown) => void)[] = [];
  #tellEnd!: (end: RankEnd) => void;

  /**
   * @param name how it is called in sentences: `The process of rank 1 of 2`
   * @param onOutput told each line that it or a library prints
   */
  constructor(name: string, command: RankCommand, onOutput: (line: string) => void) {
    this.#name = name;
    this.#onOutput = onOutput;
    this.ended = new Promise((resolve) => {
      this.#tellEnd = resolve;
    });
    const child = this.#start(command);
    this.#child = child;
    this.gone =
      child === undefined
        ? Promise.resolve()
        : new Promise((resolve) => {
            child.on('close', () => resolve());
            child.on('error', () => child.pid === undefined && resolve());
          });
  }

  /** Sends a command, as {@link commandLine} writes it; resolves as {@link answer}. */
  ask(line: string): Promise<unknown> {
    this.#child?.stdin?.write(line);
    return this.answer();
  }

  /** What the process says next; never resolves where it ends before. */
  answer(): Promise<unknown> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  /** Ends the process at once, with all that it started. */
  kill(): void {
    const child = this.#child;
    if (child?.pid === undefined) return;
    // Windows may have given the number of a process that is gone to another one; a group keeps its own while it has anybody.
    const isGone = child.exitCode !== null || child.signalCode !== null;
    if (process.platform !== 'win32' || !isGone) killTree(child.pid);
  }

  /** Undefined where nothing was started, whether the system says so at once or in an event. */
  #start({ command, args, env }: RankCommand): ChildProcess | undefined {
    const fail = (cause: unknown): void => {
      const { code, message } = pythonNotFound(command, cause);
      this.#end(code, message);
    };
    let child: ChildProcess;
    try {
      child = spawn(command, args, {
        env,
        stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
        // A group of its own: Ctrl+C in a terminal is for whoever saves a checkpoint first.
        detached: true,
        windowsHide: true,
      });
    } catch (error) {
      fail(error);
      return undefined;
    }
    child.on('error', (cause) => child.pid === undefined && fail(cause));
    // What it started has its pipes, which would keep them open. Windows knows no more who that was.
    if (process.platform !== 'win32') child.on('exit', () => this.kill());
    child.on('close', (code, signal) => this.#tellSuddenEnd(code, signal));
    child.stdin!.on('error', () => undefined);
    for (const stream of [child.stdout!, child.stderr!]) {
      createInterface({ input: stream }).on('line', (line) => this.#keep(line));
    }
    const answers = child.stdio[ANSWERS] as Readable;
    answers.on('error', () => undefined);
    createInterface({ input: answers }).on('line', (line) => this.#hear(line));
    return child;
  }

  #hear(line: string): void {
    let answer: unknown;
    try {
      answer = JSON.parse(line);
    } catch {
      // It was killed while it wrote.
      return;
    }
    const { data } = failureSchema.safeParse(answer);
    if (data === undefined) {
      this.#waiting.shift()?.(answer);
      return;
    }
    const { code, message, install } = data.failed;
    if (install !== undefined) {
      this.#end(code, `${message}; ${NAME_ANOTHER_PYTHON}, or run: ${install}`);
      return;
    }
    const way = WAYS_OUT[code];
    this.#end(
      code,
      way === undefined ? message : `${this.#name} of the run failed: ${message}; ${way}.`,
    );
  }

  #keep(line: string): void {
    const text = stripVTControlCharacters(line).trimEnd();
    if (text === '') return;
    this.#onOutput(text);
    this.#output.push(text);
    if (this.#output.length > KEPT_LINES) this.#output.shift();
  }

  /** A signal comes from outside; a process that leaves by itself has a reason, which is no other the next time. */
  #tellSuddenEnd(code: number | null, signal: NodeJS.Signals | null): void {
    const [how, way] =
      signal === null
        ? [`with exit code ${code}`, WAYS_OUT['python.failed']]
        : [`by ${signal}`, 'a run goes on from its latest checkpoint when it is resumed'];
    const words = this.#output.at(-1);
    const last = words === undefined ? '' : `, its last words: ${words}`;
    this.#end('training.rank_died', `${this.#name} of the run ended ${how}${last}; ${way}.`, true);
  }

  /** The first end is the one that counts. */
  #end(code: ErrorCode, message: string, isSudden = false): void {
    const detail = this.#output.join('\n');
    const error = new LorafaError(code, message, detail === '' ? {} : { detail });
    this.#tellEnd({ error, isSudden });
  }
}

/** A command as a process reads it. */
export function commandLine(command: object): string {
  return `${JSON.stringify(command)}\n`;
}
