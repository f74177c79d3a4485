import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls';
import { onTestFinished } from 'vitest';
import { CERTIFICATE, KEY } from './certificate.ts';

/**
 * A proxy on the loopback: it passes on requests that are not encrypted, and opens tunnels. It remembers all
 * that it could read.
 */
export class ProxyServer {
  /** `GET http://…` and `CONNECT host:port`, in their order. */
  readonly requests: string[] = [];
  /** Headers of those requests, and whatever came through tunnels from the client. */
  seen = '';
  /** `host:port`. */
  host = '';
  /** What it wants to be given; undefined: nothing. */
  password: string | undefined;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor() {
    this.#server = createServer((message, response) => this.#pass(message, response));
    this.#server.on('connect', (message: IncomingMessage, socket: Socket, head: Buffer) =>
      this.#tunnel(message, socket, head),
    );
  }

  /** Ends with the running test. */
  static async start(): Promise<ProxyServer> {
    const proxy = new ProxyServer();
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    proxy.host = `127.0.0.1:${(proxy.#server.address() as AddressInfo).port}`;
    onTestFinished(() => proxy.close());
    return proxy;
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    for (const socket of this.#sockets) socket.destroy();
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  /** Whether somebody may use it; notes what was asked for. */
  #letsIn({ method, url, headers }: IncomingMessage): boolean {
    this.requests.push(`${method} ${url}`);
    this.seen += JSON.stringify(headers);
    const wanted = `Basic ${Buffer.from(this.password ?? '').toString('base64')}`;
    return this.password === undefined || headers['proxy-authorization'] === wanted;
  }

  #pass(message: IncomingMessage, response: ServerResponse): void {
    if (!this.#letsIn(message)) {
      response.writeHead(407).end();
      return;
    }
    const { method, url = '', headers } = message;
    const onward = request(url, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    message.pipe(onward);
  }

  #tunnel(message: IncomingMessage, socket: Socket, head: Buffer): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    if (!this.#letsIn(message)) {
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
      return;
    }
    const [host, port] = message.url!.split(':');
    const onward = connect(Number(port), host);
    this.#sockets.add(onward);
    onward.on('error', () => socket.destroy());
    onward.on('connect', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      onward.write(head);
      socket.on('data', (data: Buffer) => {
        this.seen += data.toString('latin1');
      });
      socket.pipe(onward).pipe(socket);
    });
  }
}

/** Encrypts for a server that does not, as `https://localhost:…`; ends with the running test. */
export async function encrypted(origin: string): Promise<string> {
  const sockets = new Set<Socket>();
  const server: TlsServer = createTlsServer({ key: KEY, cert: CERTIFICATE }, (socket) => {
    const { hostname, port } = new URL(origin);
    const onward = connect(Number(port), hostname);
    for (const each of [socket, onward]) {
      sockets.add(each);
      each.on('error', () => undefined);
    }
    socket.pipe(onward).pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  return `https://localhost:${(server.address() as AddressInfo).port}`;
}
