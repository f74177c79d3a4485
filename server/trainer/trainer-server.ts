import { type MessageConnection, ResponseError } from 'vscode-jsonrpc/node';
import { type LocalServer, listenLocally } from '../rpc/local-socket.ts';
import { RPC_ERRORS } from '../rpc/message.ts';
import { notify, serve } from '../rpc/serve.ts';
import type { RunStatus } from '../runs/run-status.ts';
import type { Supervisor } from './supervisor.ts';
import {
  TRAINER_PROTOCOL_VERSION,
  trainerControl,
  trainerGetStatus,
  trainerGrew,
  trainerHello,
  trainerStatus,
} from './trainer-protocol.ts';

/** The socket of a trainer and all who are connected to it. */
export class TrainerServer {
  readonly #watchers = new Set<MessageConnection>();
  readonly #supervisor: Promise<Supervisor>;
  #setSupervisor!: (supervisor: Supervisor) => void;
  #local: LocalServer | undefined;

  constructor() {
    this.#supervisor = new Promise((resolve) => {
      this.#setSupervisor = resolve;
    });
  }

  /** Starts to listen and returns the address. Requests wait until {@link attach}. */
  async listen(): Promise<string> {
    this.#local = await listenLocally((connection) => this.#welcome(connection));
    return this.#local.address;
  }

  /** Says whose run this is: the supervisor stores the address, and so comes after the socket. */
  attach(supervisor: Supervisor): void {
    this.#setSupervisor(supervisor);
  }

  /** Tells all watchers the status. */
  tellStatus(status: RunStatus): void {
    for (const watcher of this.#watchers) notify(watcher, trainerStatus, status);
  }

  /** Tells all watchers that there is more to read in the run folder. */
  tellGrew(): void {
    for (const watcher of this.#watchers) notify(watcher, trainerGrew, {});
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
      this.#watchers.add(connection);
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

function wrongVersion(version: number | undefined): ResponseError<{ protocolVersion: number }> {
  const problem =
    version === undefined
      ? 'expects a hello before other requests'
      : `speaks version ${TRAINER_PROTOCOL_VERSION} of its protocol, not ${version}`;
  return new ResponseError(RPC_ERRORS.wrongVersion, `The trainer ${problem}.`, {
    protocolVersion: TRAINER_PROTOCOL_VERSION,
  });
}
