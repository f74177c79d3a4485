import { type ChildProcess, fork } from 'node:child_process';
import { createInterface } from 'node:readline';
import {
  type CancellationToken,
  createMessageConnection,
  IPCMessageReader,
  IPCMessageWriter,
  type MessageConnection,
  ResponseError,
} from 'vscode-jsonrpc/node';
import { LorafaError, messageOf } from '../../engine/errors.ts';
import type { Generation, GenerationAnswer, ModelChoice } from '../protocol.ts';
import { type RequestMessage, RPC_ERRORS } from '../rpc/message.ts';
import {
  countTextTokens,
  generateText,
  openModel,
  openProgress,
  textPiece,
} from './generator-protocol.ts';

/** Called while a model is loaded. */
export type LoadProgress = (task: string, done: number, total: number) => void;

/** A child process that holds one base model. */
export class GeneratorProcess {
  /** Resolves when the process is gone. */
  readonly ended: Promise<void>;
  readonly #child: ChildProcess;
  readonly #connection: MessageConnection;
  readonly #pieces = new Map<string, (text: string) => void>();
  readonly #progress = new Set<LoadProgress>();
  readonly #opened: Promise<unknown>;
  readonly #model: string;
  #lastOutput = '';

  /** @param script the built `generator/main.ts`; another one only in tests */
  constructor(script: string, choice: ModelChoice) {
    this.#model = choice.model;
    this.#child = fork(script, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'], execArgv: [] });
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) {
      createInterface({ input: stream }).on('line', (line) => {
        this.#lastOutput = line;
      });
    }
    this.#connection = createMessageConnection(
      new IPCMessageReader(this.#child),
      new IPCMessageWriter(this.#child),
    );
    this.ended = new Promise((resolve) => {
      this.#child.on('close', () => resolve());
      this.#child.on('error', (error) => {
        this.#lastOutput = error.message;
        if (this.#child.pid === undefined) resolve();
      });
    });
    this.#listen();
    this.#opened = this.#ask(openModel, choice);
    // Each of those who ask for a text is told why; the next one after them tries again.
    this.#opened.catch(() => this.kill());
  }

  /**
   * Lets the model write, once it is loaded.
   *
   * @throws LorafaError `generation.crashed` when the process ends meanwhile
   * @throws ResponseError with the sentence of the generator, for anything else
   */
  async generate(
    generation: Generation,
    onPiece: (text: string) => void,
    onProgress: LoadProgress,
    token: CancellationToken,
  ): Promise<GenerationAnswer> {
    this.#progress.add(onProgress);
    this.#pieces.set(generation.id, onPiece);
    try {
      await this.#opened;
      return await this.#ask(generateText, generation, token);
    } finally {
      this.#progress.delete(onProgress);
      this.#pieces.delete(generation.id);
    }
  }

  /** The number of tokens of a text, once the model is loaded. Throws as {@link generate}. */
  async countTokens(text: string, token: CancellationToken): Promise<number> {
    await this.#opened;
    return this.#ask(countTextTokens, { text }, token);
  }

  /** Ends the process. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #listen(): void {
    this.#connection.onNotification(textPiece.method, (raw: unknown) => {
      const { id, text } = textPiece.params.parse(raw);
      this.#pieces.get(id)?.(text);
    });
    this.#connection.onNotification(openProgress.method, (raw: unknown) => {
      const { task, done, total } = openProgress.params.parse(raw);
      for (const tell of this.#progress) tell(task, done, total);
    });
    this.#connection.listen();
  }

  async #ask<Params, Result>(
    { method }: RequestMessage<Params, Result>,
    params: Params,
    token?: CancellationToken,
  ): Promise<Result> {
    const crashed = this.ended.then(() => {
      throw this.#crashed();
    });
    const answer =
      token === undefined
        ? this.#connection.sendRequest<Result>(method, params)
        : this.#connection.sendRequest<Result>(method, params, token);
    try {
      return await Promise.race([answer, crashed]);
    } catch (error) {
      const isAnswer =
        error instanceof LorafaError ||
        (error instanceof ResponseError && Object.values<number>(RPC_ERRORS).includes(error.code));
      if (isAnswer) throw error;
      // The channel breaks a little before the process is gone.
      await this.ended;
      throw this.#crashed(messageOf(error));
    } finally {
      crashed.catch(() => undefined);
    }
  }

  #crashed(cause = ''): LorafaError {
    const { signalCode, exitCode } = this.#child;
    const how = [signalCode ?? `exit code ${exitCode}`, this.#lastOutput || cause];
    return new LorafaError(
      'generation.crashed',
      `The process that runs ${this.#model} ended (${how.filter((text) => text !== '').join(': ')}); try again, with a smaller model or on another device if memory ran out.`,
    );
  }
}
