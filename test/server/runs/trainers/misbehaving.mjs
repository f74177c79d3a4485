import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { hostname } from 'node:os';
import path from 'node:path';
import {
  createMessageConnection,
  ResponseError,
  SocketMessageReader,
  SocketMessageWriter,
} from 'vscode-jsonrpc/node';

/** A trainer that takes a run on and then does what the name of the run folder says. */

const since = '2026-01-01T00:00:00.000Z';
const status = {
  state: 'running',
  since,
  reason: null,
  progress: null,
  step: 7,
  maxSteps: 9,
  loss: 1,
  evalLoss: null,
  device: 'cpu',
  etaSeconds: 2,
  memory: null,
  checkpoint: null,
  waitsFor: null,
  heard: null,
};

process.once('message', ({ config }) => {
  const folder = config.training.output_dir;
  const behave = behaviours[path.basename(folder)];
  if (behave === undefined) return early[path.basename(folder)]();
  const server = net.createServer((socket) => {
    socket.on('error', () => undefined);
    behave(socket, folder);
  });
  // As `listenLocally` has it: a name, in the one folder of this user's sockets.
  const address = `${process.pid}-${randomBytes(8).toString('hex')}`;
  const sockets = `/tmp/lorafa-${process.getuid()}`;
  mkdirSync(sockets, { recursive: true, mode: 0o700 });
  mkdirSync(folder);
  server.listen(path.join(sockets, address), () => {
    const lock = { pid: process.pid, host: hostname(), started: null };
    writeFileSync(path.join(folder, 'run.lock'), JSON.stringify(lock));
    const heartbeat = new Date().toISOString();
    const common = { version: 1, pid: process.pid, address, protocolVersion: 1, heartbeat };
    const state = { ...common, queued: since, configFile: null, status };
    writeFileSync(path.join(folder, 'state.json'), JSON.stringify(state));
    process.send({ type: 'ready', address });
  });
});

const early = {
  'crash-at-start': () => process.exit(3),
  'hang-at-start': () => setInterval(() => undefined, 1000),
  'garbage-at-start': () => process.send({ garbage: true }),
  refuse: () => process.send({ type: 'refused', code: 'output.in_use', message: 'It is in use.' }),
};

const behaviours = {
  http: (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'),
  silent: () => undefined,
  'hang-up': (socket) => socket.destroy(),
  'other-version': (socket) => {
    const connection = listen(socket);
    connection.onRequest('trainer/hello', () => {
      return new ResponseError(-32002, 'It speaks 99.', { protocolVersion: 99 });
    });
  },
  'other-run': (socket) => greet(socket, '/another/run'),
  'crash-later': (socket, folder) => {
    greet(socket, folder).onRequest('trainer/control', () => process.exit(3));
  },
  'hang-later': (socket, folder) => {
    greet(socket, folder).onRequest('trainer/control', () => new Promise(() => undefined));
  },
  hurried: (socket, folder) => {
    const connection = greet(socket, folder);
    const stopped = { ...status, state: 'stopped' };
    connection.onRequest('trainer/control', async () => {
      await connection.sendNotification('trainer/status', stopped);
      setTimeout(() => socket.end(), 50);
      return stopped;
    });
  },
  'garbage-later': (socket, folder) => {
    const connection = greet(socket, folder);
    connection.onRequest('trainer/control', () =>
      connection.sendNotification('trainer/status', { state: 'dancing' }),
    );
  },
};

function greet(socket, folder) {
  const connection = listen(socket);
  connection.onRequest('trainer/hello', () => ({ protocolVersion: 1, folder, status }));
  return connection;
}

function listen(socket) {
  const connection = createMessageConnection(
    new SocketMessageReader(socket),
    new SocketMessageWriter(socket),
  );
  connection.listen();
  return connection;
}
