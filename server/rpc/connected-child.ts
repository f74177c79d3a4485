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
import { messageOf } from '../../engine/errors.ts';
import { withoutToken } from '../../engine/hub/hub-token.ts';
import { type RequestMessage, RPC_ERRORS } from './message.ts';

/** The process that was asked has ended; the message says how, as the end of a sentence. */
export class ChildEnded extends Error {}

/** A child process that answers requests in JSON-RPC over its IPC channel. */
export class ConnectedChild {
  readonly connection: MessageConnection;
  /** Resolves when the process is gone. */
  readonly ended: Promise<void>;
  readonly #child: ChildProcess;
  /**
   * What each of those who wait for an answer is told when the process ends instead. A process
   * answers thousands of times: `ended` would keep each of them until its end.
   */
  readonly #waiting = new Set<(end: ChildEnded) => void>();
  #hasEnded = false;
  #lastOutput = '';

  /** @param script the built program */
  constructor(script: string) {
    this.#child = fork(script, {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      execArgv: [],
      env: withoutToken(),
    });
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) {
      createInterface({ input: stream }).on('line', (line) => {
        this.#lastOutput = line;
      });
    }
    this.connection = createMessageConnection(
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
    void this.ended.then(() => {
      this.#hasEnded = true;
      for (const tell of this.#waiting) tell(this.#end());
    });
  }

  /**
   * Asks, and waits for the answer or the end of the process.
   *
   * @throws ResponseError what the process answers; {@link ChildEnded} when it ends meanwhile
   */
  async ask<Params, Result>(
    { method }: RequestMessage<Params, Result>,
    params: Params,
    token?: CancellationToken,
  ): Promise<Result> {
    if (this.#hasEnded) throw this.#end();
    let tell!: (end: ChildEnded) => void;
    const gone = new Promise<never>((_resolve, reject) => {
      tell = reject;
    });
    this.#waiting.add(tell);
    const answer =
      token === undefined
        ? this.connection.sendRequest<Result>(method, params)
        : this.connection.sendRequest<Result>(method, params, token);
    // Whichever of the two comes second has nobody who waits for it.
    answer.catch(() => undefined);
    gone.catch(() => undefined);
    try {
      return await Promise.race([answer, gone]);
    } catch (error) {
      const isAnswer =
        error instanceof ChildEnded ||
        (error instanceof ResponseError && Object.values<number>(RPC_ERRORS).includes(error.code));
      if (isAnswer) throw error;
      // The channel breaks a little before the process is gone.
      await this.ended;
      throw this.#end(messageOf(error));
    } finally {
      this.#waiting.delete(tell);
    }
  }

  /** Ends the process at once, whatever it is doing. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #end(cause = ''): ChildEnded {
    const { signalCode, exitCode } = this.#child;
    const how = [signalCode ?? `exit code ${exitCode}`, this.#lastOutput || cause];
    return new ChildEnded(how.filter((text) => text !== '').join(': '));
  }
}
