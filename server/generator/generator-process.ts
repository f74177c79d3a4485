import { setTimeout } from 'node:timers/promises';
import { type CancellationToken, ResponseError } from 'vscode-jsonrpc/node';
import { LorafaError } from '../../engine/errors.ts';
import { tokenToGive } from '../../engine/hub/hub-token.ts';
import type { Generation, GenerationAnswer, ModelChoice } from '../protocol/generation.ts';
import { ChildEnded, ConnectedChild } from '../rpc/connected-child.ts';
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

/** How long a cancelled request waits for the process's own answer, which is busy within a step. */
const GRACE_MS = 500;

/** A child process that holds one base model. */
export class GeneratorProcess {
  /** Resolves when the process is gone. */
  readonly ended: Promise<void>;
  readonly #child: ConnectedChild;
  readonly #pieces = new Map<string, (text: string) => void>();
  readonly #progress = new Set<LoadProgress>();
  readonly #opened: Promise<unknown>;
  readonly #model: string;

  /** @param script the built `generator/main.ts`; another one only in tests */
  constructor(script: string, choice: ModelChoice) {
    this.#model = choice.model;
    this.#child = new ConnectedChild(script);
    this.ended = this.#child.ended;
    this.#listen();
    this.#opened = this.#ask(openModel, { ...choice, hubToken: tokenToGive() });
    // Each of those who ask for a text is told why; the next one after them tries again.
    this.#opened.catch(() => this.kill());
  }

  /**
   * Lets the model write, once it is loaded. Cancelled, it answers at once with the text that there
   * is, even where the process is too busy to answer.
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
    const pieces: string[] = [];
    this.#progress.add(onProgress);
    this.#pieces.set(generation.id, (text) => {
      pieces.push(text);
      onPiece(text);
    });
    const write = async (): Promise<GenerationAnswer> => {
      await this.#opened;
      return this.#ask(generateText, generation, token);
    };
    const aborted = async (): Promise<GenerationAnswer> => {
      await untilCancelled(token);
      return {
        text: pieces.join(''),
        generatedTokens: pieces.length,
        promptTokens: 0,
        finishReason: 'abort',
        tokensPerSecond: null,
      };
    };
    try {
      return await Promise.race([write(), aborted()]);
    } finally {
      this.#progress.delete(onProgress);
      this.#pieces.delete(generation.id);
    }
  }

  /**
   * The number of tokens of a text, once the model is loaded. Throws as {@link generate}, and
   * ResponseError `cancelled`.
   */
  async countTokens(text: string, token: CancellationToken): Promise<number> {
    const count = async (): Promise<number> => {
      await this.#opened;
      return this.#ask(countTextTokens, { text }, token);
    };
    const cancelled = untilCancelled(token).then(() => {
      throw new ResponseError(RPC_ERRORS.cancelled, 'Counting tokens was cancelled.');
    });
    return Promise.race([count(), cancelled]);
  }

  /** Ends the process. */
  kill(): void {
    this.#child.kill();
  }

  #listen(): void {
    const { connection } = this.#child;
    connection.onNotification(textPiece.method, (raw: unknown) => {
      const { id, text } = textPiece.params.parse(raw);
      this.#pieces.get(id)?.(text);
    });
    connection.onNotification(openProgress.method, (raw: unknown) => {
      const { task, done, total } = openProgress.params.parse(raw);
      for (const tell of this.#progress) tell(task, done, total);
    });
    connection.listen();
  }

  async #ask<Params, Result>(
    message: RequestMessage<Params, Result>,
    params: Params,
    token?: CancellationToken,
  ): Promise<Result> {
    try {
      return await this.#child.ask(message, params, token);
    } catch (error) {
      if (!(error instanceof ChildEnded)) throw error;
      throw new LorafaError(
        'generation.crashed',
        `The process that runs ${this.#model} ended (${error.message}); try again, with a smaller model or on another device if memory ran out.`,
      );
    }
  }
}

/** Resolves a little after a request was cancelled, and not at all if it is not. */
async function untilCancelled(token: CancellationToken): Promise<void> {
  await new Promise<void>((resolve) => token.onCancellationRequested(() => resolve()));
  await setTimeout(GRACE_MS);
}
