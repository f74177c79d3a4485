import type { Disposable, MessageConnection } from 'vscode-jsonrpc/node';
import { ResponseError } from 'vscode-jsonrpc/node';
import { LorafaError, messageOf } from '../../engine/errors.ts';
import { connectLocally } from '../rpc/local-socket.ts';
import { type RequestMessage, RPC_ERRORS } from '../rpc/message.ts';
import { type RunStatus, runStatusSchema } from './run-status.ts';
import {
  type RunAction,
  TRAINER_PROTOCOL_VERSION,
  trainerControl,
  trainerGetStatus,
  trainerGreetingSchema,
  trainerGrew,
  trainerHello,
  trainerStatus,
  trainerVersionSchema,
} from './trainer-protocol.ts';

/** How long after the end of a connection what has arrived on it is still being handled. */
const CLOSE_GRACE_MS = 1000;

/** Who listens to a trainer. */
export interface TrainerListener {
  onStatus(status: RunStatus): void;
  /** There is more to read in the run folder. */
  onGrew(): void;
  /** The connection is gone after it was made: the trainer ended, or said what nobody understands. */
  onClose(): void;
}

/** A connection to the trainer of a live run. */
export class TrainerClient {
  readonly address: string;
  /** The status at the time of the greeting. */
  readonly status: RunStatus;
  readonly #connection: MessageConnection;
  readonly #folder: string;
  readonly #timeoutMs: number;
  /** Answers that are waited for. */
  readonly #pending = new Set<Promise<unknown>>();

  private constructor(
    connection: MessageConnection,
    address: string,
    folder: string,
    timeoutMs: number,
    status: RunStatus,
  ) {
    this.address = address;
    this.#connection = connection;
    this.#folder = folder;
    this.#timeoutMs = timeoutMs;
    this.status = status;
  }

  /**
   * Connects to the trainer of a run folder.
   *
   * @throws LorafaError `training.no_answer` when nobody is there, answers in time or makes sense;
   * `training.wrong_version` when the trainer comes from another version of the extension
   */
  static async connect(
    address: string,
    folder: string,
    timeoutMs: number,
    listener: TrainerListener,
  ): Promise<TrainerClient> {
    const connection = await connectLocally(address).catch((error: unknown) => {
      throw noAnswer(folder, messageOf(error));
    });
    connection.onNotification(trainerStatus.method, (raw: unknown) => {
      const status = runStatusSchema.safeParse(raw);
      if (status.success) return listener.onStatus(status.data);
      // A connection that is disposed of does not report its close.
      connection.dispose();
      listener.onClose();
    });
    connection.onNotification(trainerGrew.method, () => listener.onGrew());
    let isGreeted = false;
    connection.onClose(() => {
      if (isGreeted) listener.onClose();
    });
    connection.listen();
    try {
      const raw = await ask(connection, folder, timeoutMs, trainerHello, {
        protocolVersion: TRAINER_PROTOCOL_VERSION,
      });
      const greeting = trainerGreetingSchema.safeParse(raw);
      if (!greeting.success) throw noAnswer(folder, 'what it says is not understood');
      if (greeting.data.folder !== folder) throw noAnswer(folder, 'another run has its address');
      isGreeted = true;
      return new TrainerClient(connection, address, folder, timeoutMs, greeting.data.status);
    } catch (error) {
      connection.dispose();
      throw error;
    }
  }

  /**
   * Asks where the run stands, which tells also whether anybody is there.
   *
   * @throws LorafaError as {@link control} does
   */
  async askStatus(): Promise<RunStatus> {
    return this.#ask(trainerGetStatus, {});
  }

  /**
   * Steers the run.
   *
   * @throws LorafaError `training.no_answer`, `training.wrong_version`
   * @throws ResponseError with the trainer's own sentence when the run cannot do that now
   */
  async control(action: RunAction): Promise<RunStatus> {
    return this.#ask(trainerControl, { action });
  }

  async #ask<Params>(
    request: RequestMessage<Params, RunStatus>,
    params: Params,
  ): Promise<RunStatus> {
    const answer = ask(this.#connection, this.#folder, this.#timeoutMs, request, params);
    this.#pending.add(answer);
    const raw = await answer.finally(() => this.#pending.delete(answer));
    const status = runStatusSchema.safeParse(raw);
    if (!status.success) throw noAnswer(this.#folder, 'what it says is not understood');
    return status.data;
  }

  /** Ends the connection, once what was asked is answered; the trainer goes on. */
  dispose(): void {
    void Promise.allSettled(this.#pending).then(() => this.#connection.dispose());
  }
}

/** Sends a request; the answer is whatever the other side says. */
async function ask<Params, Result>(
  connection: MessageConnection,
  folder: string,
  timeoutMs: number,
  { method }: RequestMessage<Params, Result>,
  params: Params,
): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  let closing: Disposable | undefined;
  const cutOff = new Promise<never>((_resolve, reject) => {
    const rejectAfter = (ms: number, cause: string): void => {
      clearTimeout(timer);
      timer = setTimeout(() => reject(noAnswer(folder, cause)), ms);
    };
    rejectAfter(timeoutMs, `no answer within ${timeoutMs / 1000} s`);
    // The answer may be among what came last.
    closing = connection.onClose(() => rejectAfter(CLOSE_GRACE_MS, 'the connection ended'));
  });
  try {
    return await Promise.race([connection.sendRequest(method, params), cutOff]);
  } catch (error) {
    if (error instanceof LorafaError) throw error;
    if (error instanceof ResponseError) {
      if (error.code === RPC_ERRORS.failed) throw error;
      if (error.code === RPC_ERRORS.wrongVersion) throw wrongVersion(folder, error.data);
    }
    throw noAnswer(folder, messageOf(error));
  } finally {
    clearTimeout(timer);
    closing?.dispose();
  }
}

function noAnswer(folder: string, cause: string): LorafaError {
  return new LorafaError(
    'training.no_answer',
    `The trainer of ${folder} does not answer (${cause}); try again, or end its process and resume the run from its last checkpoint.`,
    { location: { file: folder } },
  );
}

function wrongVersion(folder: string, data: unknown): LorafaError {
  const other = trainerVersionSchema.safeParse(data);
  const version = other.success ? other.data.protocolVersion : 'unknown';
  return new LorafaError(
    'training.wrong_version',
    `The trainer of ${folder} was started by another version of LoRA-FA (protocol ${version}, here ${TRAINER_PROTOCOL_VERSION}) and cannot be steered from here; wait for its end, or end its process and resume the run from its last checkpoint.`,
    { location: { file: folder } },
  );
}
