import { randomBytes } from 'node:crypto';
import { chmod, lstat, mkdtemp, rm, rmdir, unlink } from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import {
  createMessageConnection,
  type MessageConnection,
  SocketMessageReader,
  SocketMessageWriter,
} from 'vscode-jsonrpc/node';

/** How long the other ends may take to read what was sent last. */
const CLOSE_GRACE_MS = 2000;

/** A local address that other processes of the same user can connect to. */
export interface LocalServer {
  /** Path of the socket, or name of the pipe on Windows. */
  readonly address: string;
  /** Ends all connections after what was sent to them, and removes the socket. */
  close(): Promise<void>;
}

/**
 * Listens at a fresh local address. The socket lies in a folder of its own that only the user can
 * enter: not in the run folder, since shared and network file systems have no sockets and the path
 * of one may be about 100 bytes long at most.
 */
export async function listenLocally(
  onConnection: (connection: MessageConnection) => void,
): Promise<LocalServer> {
  const { address, remove } = await freshAddress();
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    onConnection(messageConnection(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(address, resolve);
  });
  if (process.platform !== 'win32') await chmod(address, 0o600);
  return {
    address,
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

/** Connects to an address that another process listens at. Throws what `net.connect` reports. */
export async function connectLocally(address: string): Promise<MessageConnection> {
  const socket = net.connect(address);
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.once('connect', resolve);
  });
  return messageConnection(socket);
}

/** Removes what a process that was killed left at its address. */
export async function removeAddress(address: string): Promise<void> {
  const isSocket = await lstat(address).then(
    (found) => found.isSocket(),
    () => false,
  );
  if (!isSocket) return;
  await unlink(address).catch(() => undefined);
  await rmdir(path.dirname(address)).catch(() => undefined);
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

async function freshAddress(): Promise<{ address: string; remove: () => Promise<void> }> {
  if (process.platform === 'win32') {
    const address = `\\\\.\\pipe\\lorafa-${randomBytes(8).toString('hex')}`;
    return { address, remove: async () => undefined };
  }
  const folder = await mkdtemp(path.join(os.tmpdir(), 'lorafa-'));
  return {
    address: path.join(folder, 'rpc'),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
