import { setTimeout as delay } from 'node:timers/promises';
import { type MessageConnection, ResponseError } from 'vscode-jsonrpc/node';
import { type LocalServer, listenLocally } from '../rpc/local-socket.ts';
import { RPC_ERRORS } from '../rpc/message.ts';
import { serve } from '../rpc/serve.ts';
import type { RunState, RunStatus } from './run-status.ts';
import type { Supervisor } from './supervisor.ts';
import {
  TRAINER_PROTOCOL_VERSION,
  trainerControl,
  trainerGetStatus,
  trainerGrew,
  trainerHello,
  trainerStatus,
} from './trainer-protocol.ts';

/** A run can make hundreds of steps a second: what is no change of state is told this often, in milliseconds. */
const PROGRESS_MS = 100;

/** The socket of a trainer and all who are connected to it. */
export class TrainerServer {
  readonly #watchers = new Map<MessageConnection, Watcher>();
  readonly #supervisor: Promise<Supervisor>;
  #setSupervisor!: (supervisor: Supervisor) => void;
  #local: LocalServer | undefined;

  constructor() {
    this.#supervisor = new Promise((resolve) => {
      this.#setSupervisor = resolve;
    });
  }

  /** Starts to listen and returns the name of the socket. Requests wait until {@link attach}. */
  async listen(): Promise<string> {
    this.#local = await listenLocally((connection) => this.#welcome(connection));
    return this.#local.name;
  }

  /** Says whose run this is: the supervisor stores the name, and so comes after the socket. */
  attach(supervisor: Supervisor): void {
    this.#setSupervisor(supervisor);
  }

  /** Tells all watchers the status. */
  tellStatus(status: RunStatus): void {
    for (const watcher of this.#watchers.values()) watcher.tellStatus(status);
  }

  /** Tells all watchers that there is more to read in the run folder. */
  tellGrew(): void {
    for (const watcher of this.#watchers.values()) watcher.tellGrew();
  }

  /** Lets everything arrive that was told, and ends. */
  async close(): Promise<void> {
    await this.#local?.close();
  }

  #welcome(connection: MessageConnection): void {
    connection.onClose(() => this.#watchers.delete(connection));
    serve(connection, trainerHello, async ({ protocolVersion }) => {
      if (protocolVersion !== TRAINER_PROTOCOL_VERSION) throw wrongVersion(protocolVersion);
      const { folder, status } = await this.#supervisor;
      this.#watchers.set(connection, new Watcher(connection));
      return { protocolVersion: TRAINER_PROTOCOL_VERSION, folder, status };
    });
    const greeted = async (): Promise<Supervisor> => {
      if (!this.#watchers.has(connection)) throw wrongVersion(undefined);
      return this.#supervisor;
    };
    serve(connection, trainerGetStatus, async () => (await greeted()).status);
    serve(connection, trainerControl, async ({ action }) => (await greeted()).act(action));
    connection.listen();
  }
}

/**
 * One who is told what happens. Each change of state is told at once; of the rest, now and then, only
 * the newest, also where it is read slowly or not at all (a process that is halted), so that nothing
 * piles up here.
 */
class Watcher {
  readonly #connection: MessageConnection;
  #isSending = false;
  #state: RunState | undefined;
  #nextStatus: RunStatus | undefined;
  #hasGrown = false;

  constructor(connection: MessageConnection) {
    this.#connection = connection;
  }

  tellStatus(status: RunStatus): void {
    this.#nextStatus = status;
    if (status.state !== this.#state || !this.#isSending) void this.#send();
    this.#state = status.state;
  }

  tellGrew(): void {
    this.#hasGrown = true;
    if (!this.#isSending) void this.#send();
  }

  async #send(): Promise<void> {
    this.#isSending = true;
    const [status, hasGrown] = [this.#nextStatus, this.#hasGrown];
    this.#nextStatus = undefined;
    this.#hasGrown = false;
    try {
      if (status !== undefined) {
        await this.#connection.sendNotification(trainerStatus.method, status);
      }
      if (hasGrown) await this.#connection.sendNotification(trainerGrew.method, {});
      await delay(PROGRESS_MS, undefined, { ref: false });
    } catch {
      // The connection has ended: nobody is there to miss anything.
      return;
    }
    this.#isSending = false;
    if (this.#nextStatus !== undefined || this.#hasGrown) void this.#send();
  }
}

function wrongVersion(version: number | undefined): ResponseError<{ protocolVersion: number }> {
  const problem =
    version === undefined
      ? 'expects a hello before other requests'
      : `speaks version ${TRAINER_PROTOCOL_VERSION} of its protocol, not ${version}`;
  return new ResponseError(RPC_ERRORS.wrongVersion, `The trainer ${problem}.`, {
    protocolVersion: TRAINER_PROTOCOL_VERSION,
  });
}
