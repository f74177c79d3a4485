import { chmod, rename, rm } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import {
  createMessageConnection,
  type MessageConnection,
  SocketMessageReader,
  SocketMessageWriter,
} from 'vscode-jsonrpc/node';
import { ownSocketFolder } from './socket-folder.ts';
import { addressOf, freshSocketName, pipeOf } from './socket-name.ts';
import { sweepSockets, UNFINISHED_PREFIX } from './sweep-sockets.ts';

/** How long the other ends may take to read what was sent last. */
const CLOSE_GRACE_MS = 2000;

/** A socket (on Windows a pipe) that other processes of the same user can connect to. */
export interface LocalServer {
  /** What others find it by; see {@link connectLocally}. */
  readonly name: string;
  /** Ends all connections after what was sent to them, and removes the socket. */
  close(): Promise<void>;
}

/**
 * Listens at a fresh socket in the one folder of the user's sockets: not in the run folder, since
 * shared and network file systems have no sockets, the path of one may be about 100 bytes long at
 * most, and a run folder is a place that others write to. What killed processes left there goes.
 *
 * @throws LorafaError `output.not_writable` when there is no place for sockets
 */
export async function listenLocally(
  onConnection: (connection: MessageConnection) => void,
): Promise<LocalServer> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    onConnection(messageConnection(socket));
  });
  const { name, remove } = await listenAtFreshName(server);
  return {
    name,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroySoon();
      // A peer that hangs never takes what was sent to it.
      const timer = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, CLOSE_GRACE_MS);
      await closed;
      clearTimeout(timer);
      await remove();
    },
  };
}

/**
 * Connects to the socket of another process of this user.
 *
 * @param name from whatever source: it is looked up among the user's own sockets
 * @throws Error when there is no such socket, or nobody listens at it
 */
export async function connectLocally(name: string): Promise<MessageConnection> {
  const socket = net.connect(await addressOf(name));
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.once('connect', resolve);
  });
  return messageConnection(socket);
}

/** JSON-RPC over a socket; anything on the wire that is not JSON-RPC ends the connection. */
function messageConnection(socket: net.Socket): MessageConnection {
  // Every error is followed by `close`, which the connection reports.
  socket.on('error', () => undefined);
  const connection = createMessageConnection(
    new SocketMessageReader(socket),
    new SocketMessageWriter(socket),
  );
  connection.onError(() => socket.destroy());
  connection.onClose(() => socket.destroySoon());
  connection.onDispose(() => socket.destroySoon());
  return connection;
}

/** A socket that nobody listens at under its name is one that nobody will listen at again. */
async function listenAtFreshName(
  server: net.Server,
): Promise<{ name: string; remove: () => Promise<void> }> {
  const name = freshSocketName();
  if (process.platform === 'win32') {
    await listenAt(server, pipeOf(name));
    return { name, remove: async () => undefined };
  }
  const folder = await ownSocketFolder();
  const unfinished = path.join(folder, `${UNFINISHED_PREFIX}${name}`);
  await listenAt(server, unfinished);
  await chmod(unfinished, 0o600);
  await rename(unfinished, path.join(folder, name));
  await sweepSockets(folder);
  return { name, remove: () => rm(path.join(folder, name), { force: true }) };
}

function listenAt(server: net.Server, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(address, resolve);
  });
}
