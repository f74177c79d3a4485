import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Fault, FaultPlan, SeenRequest } from './faults.ts';
import { HubWriting, type WriteAnswer } from './hub-writing.ts';
import { found } from './listing.ts';
import { digestOf, type HubFile, type HubRepository } from './repositories.ts';

/** Whose tokens they are. */
const ACCOUNT = 'somebody';

/**
 * A stand-in for the Hugging Face Hub on the loopback: the endpoints that clients use for reading and writing,
 * with their headers, and files of LFS on another host, as the Hub has them. It can fail in every way.
 */
export class HubServer {
  /** Every request so far, in order. */
  readonly requests: SeenRequest[] = [];
  /** Tokens that let in. */
  readonly tokens = new Set<string>();
  /** Tokens that let in and may only read. */
  readonly readTokens = new Set<string>();
  /** By which it is written to. */
  readonly writing: HubWriting;
  /** Entries of a page of a list of files. */
  pageSize = 1000;
  fault: FaultPlan = () => undefined;
  #repositories: readonly HubRepository[] = [];
  readonly #hub: Server;
  readonly #cdn: Server;

  private constructor() {
    this.#hub = createServer((request, response) => this.#handle('hub', request, response));
    this.#cdn = createServer((request, response) => this.#handle('cdn', request, response));
    this.writing = new HubWriting(
      {
        find: (name, branch) => this.find(name, branch),
        put: (repository) => void this.add(repository),
      },
      () => ({ hub: this.endpoint, storage: originOf(this.#cdn) }),
    );
  }

  static async start(): Promise<HubServer> {
    const server = new HubServer();
    for (const each of [server.#hub, server.#cdn]) {
      each.listen(0, '127.0.0.1');
      await once(each, 'listening');
    }
    return server;
  }

  /** What `HF_ENDPOINT` takes. */
  get endpoint(): string {
    return originOf(this.#hub);
  }

  /** Serves a repository, in the place of one of the same name that has one of its branches. */
  add(repository: HubRepository): HubRepository {
    const { kind, name, branches } = repository;
    const others = this.#repositories.filter(
      (each) =>
        each.kind !== kind ||
        each.name !== name ||
        ![...each.branches].some((branch) => branches.has(branch)),
    );
    this.#repositories = [...others, repository];
    return repository;
  }

  /** A model's repository as it is now, at any branch or at a certain one. */
  find(name: string, branch?: string): HubRepository | undefined {
    return this.#repositories.find(
      (each) =>
        each.kind === 'model' &&
        each.name === name &&
        (branch === undefined || each.branches.has(branch)),
    );
  }

  async close(): Promise<void> {
    for (const each of [this.#hub, this.#cdn]) {
      each.closeAllConnections();
      each.close();
      await once(each, 'close');
    }
  }

  #handle(host: 'hub' | 'cdn', request: IncomingMessage, response: ServerResponse): void {
    const { method = 'GET', url = '/', headers } = request;
    const seen: SeenRequest = {
      number: this.requests.length + 1,
      method,
      host,
      path: url,
      authorization: headers.authorization,
      range: headers.range,
    };
    this.requests.push(seen);
    const fault = this.fault(seen);
    const answer = new Answer(request, response, fault);
    if (fault === 'drop') request.socket.destroy();
    else if (typeof fault === 'object' && 'status' in fault) {
      request.resume();
      void answer.refuse(fault.status, fault.headers ?? {});
    } else if (method === 'POST' || method === 'PUT') {
      void this.#write(host, request, answer, fault);
    } else if (fault !== 'hang') {
      void (host === 'cdn'
        ? this.#sendLarge(url, answer)
        : this.#route(new URL(url, this.endpoint), seen, answer));
    }
  }

  async #write(
    host: 'hub' | 'cdn',
    request: IncomingMessage,
    answer: Answer,
    fault: Fault | undefined,
  ): Promise<void> {
    const cut =
      typeof fault === 'object' && 'cutWhenReceived' in fault ? fault.cutWhenReceived : undefined;
    const pieces: Buffer[] = [];
    let size = 0;
    try {
      for await (const piece of request as AsyncIterable<Buffer>) {
        pieces.push(piece);
        size += piece.length;
        if (typeof cut === 'number' && size >= cut) return void request.socket.destroy();
      }
    } catch {
      // Whoever sent it went.
      return;
    }
    if (fault === 'hang') return;
    const { headers, url = '/' } = request;
    const asked = {
      ...{ headers, url: new URL(url, this.endpoint), body: Buffer.concat(pieces) },
      account: this.#accountOf(headers.authorization),
    };
    const said = host === 'cdn' ? this.writing.store(asked) : this.writing.answer(asked);
    if (fault === 'done-and-hang') return;
    if (cut === 'all') return void request.socket.destroy();
    await answer.said(said);
  }

  /** The stand-in knows one account, with tokens that may write and others. */
  #accountOf(authorization: string | undefined) {
    const token = authorization?.replace(/^Bearer /, '') ?? '';
    if (!this.tokens.has(token)) return undefined;
    return { name: ACCOUNT, canWrite: !this.readTokens.has(token) };
  }

  #route(url: URL, { authorization }: SeenRequest, answer: Answer): Promise<void> {
    const parts = url.pathname.slice(1).split('/').map(decodeURIComponent);
    const isApi = parts[0] === 'api';
    if (isApi) parts.shift();
    if (parts[0] === 'whoami-v2') return this.#sayWho(authorization, answer);
    const isCache = parts[0] === 'resolve-cache';
    if (isCache) parts.shift();
    const isDataset = parts[0] === 'datasets';
    if (isApi && !isDataset && parts[0] !== 'models') return answer.refuse(404, {});
    if (isApi || isDataset) parts.shift();
    if (isApi && parts.length === 0) {
      return this.#list(isDataset ? 'dataset' : 'model', url, authorization, answer);
    }
    const [owner, name, ...rest] = parts;
    const kind = isDataset ? 'dataset' : 'model';
    const editions = this.#repositories.filter(
      (each) => each.kind === kind && each.name === `${owner}/${name}`,
    );
    const [what, ...below] = rest;
    const at = isCache ? rest : below;
    const repository = editions.find((each) => revisionOf(each, at) !== undefined) ?? editions[0];
    const isLetIn = this.#letsIn(authorization);
    if (authorization !== undefined && !isLetIn) return refuseToken(answer);
    if (repository === undefined || (repository.access === 'private' && !isLetIn)) {
      const status = isLetIn ? 404 : 401;
      return answer.refuse(status, {
        'x-error-code': 'RepoNotFound',
        'x-error-message': 'Repository not found',
      });
    }
    const found = revisionOf(repository, at);
    if (found === undefined) {
      return answer.refuse(404, {
        'x-error-code': 'RevisionNotFound',
        'x-error-message': `Invalid rev id: ${at[0]}`,
      });
    }
    if (isCache) return this.#sendSmall(repository, found.path, answer);
    if (isApi && what === 'revision') return answer.json(describe(repository));
    if (isApi && what === 'tree') return this.#sendTree(repository, found.path, url, answer);
    if (what !== 'resolve') return answer.refuse(404, {});
    if (repository.access === 'gated' && !isLetIn) {
      return answer.refuse(authorization === undefined ? 401 : 403, {
        'x-error-code': 'GatedRepo',
        'x-error-message': `Access to ${repository.kind} ${repository.name} is restricted.`,
      });
    }
    return this.#resolve(repository, found.path, answer);
  }

  #letsIn(authorization: string | undefined): boolean {
    return [...this.tokens].some((token) => authorization === `Bearer ${token}`);
  }

  #list(
    kind: HubRepository['kind'],
    url: URL,
    authorization: string | undefined,
    answer: Answer,
  ): Promise<void> {
    const isLetIn = this.#letsIn(authorization);
    if (authorization !== undefined && !isLetIn) return refuseToken(answer);
    const visible = [...this.#repositories.values()].filter(
      (each) => each.kind === kind && (each.access !== 'private' || isLetIn),
    );
    return this.#sendPage(found(visible, url.searchParams), url, answer);
  }

  #sayWho(authorization: string | undefined, answer: Answer): Promise<void> {
    const account = this.#accountOf(authorization);
    const role = account?.canWrite ? 'write' : 'read';
    return account !== undefined
      ? answer.json({
          ...{ type: 'user', name: account.name, orgs: [] },
          auth: { type: 'access_token', accessToken: { displayName: 'a token', role } },
        })
      : answer.refuse(401, { 'x-error-message': `Invalid token ${authorization}` });
  }

  #resolve(repository: HubRepository, path: string, answer: Answer): Promise<void> {
    const { kind, name, commit, files } = repository;
    const file = files.get(path);
    const common = { 'x-repo-commit': commit, 'accept-ranges': 'bytes' };
    if (file === undefined) {
      return answer.refuse(404, { ...common, 'x-error-code': 'EntryNotFound' });
    }
    const digest = digestOf(file);
    const linked = {
      ...common,
      'x-linked-size': String(file.content.length),
      'x-linked-etag': `"${digest}"`,
    };
    if (!file.isLarge) {
      const place = path.split('/').map(encodeURIComponent).join('/');
      const plural = kind === 'model' ? 'models' : 'datasets';
      return answer.redirect(307, `/api/resolve-cache/${plural}/${name}/${commit}/${place}`, {
        ...linked,
        etag: `"${digest}"`,
      });
    }
    return answer.redirect(
      302,
      `${originOf(this.#cdn)}/xet-bridge-us/${digest}?Signature=abc`,
      linked,
    );
  }

  #sendSmall(repository: HubRepository, path: string, answer: Answer): Promise<void> {
    const file = repository.files.get(path);
    if (file === undefined) return answer.refuse(404, { 'x-error-code': 'EntryNotFound' });
    return answer.file(file, { 'x-repo-commit': repository.commit });
  }

  #sendLarge(url: string, answer: Answer): Promise<void> {
    const digest = new URL(url, this.endpoint).pathname.split('/').at(-1);
    const file = this.#repositories
      .flatMap(({ files }) => [...files.values()])
      .find((each) => each.isLarge && digestOf(each) === digest);
    if (file === undefined) return answer.refuse(403, {});
    return answer.file(file, {});
  }

  #sendTree(repository: HubRepository, below: string, url: URL, answer: Answer): Promise<void> {
    const entries = treeOf(repository).filter(
      ({ path }) => below === '' || path.startsWith(`${below}/`),
    );
    return this.#sendPage(entries, url, answer);
  }

  #sendPage(entries: readonly object[], url: URL, answer: Answer): Promise<void> {
    const start = Number(url.searchParams.get('cursor') ?? 0);
    const limit = Number(url.searchParams.get('limit') ?? Number.POSITIVE_INFINITY);
    const end = start + Math.min(limit, this.pageSize);
    const headers: Record<string, string> = {};
    if (end < entries.length) {
      const next = new URL(url, this.endpoint);
      next.searchParams.set('cursor', String(end));
      headers['link'] = `<${next.href}>; rel="next"`;
    }
    return answer.json(entries.slice(start, end), headers);
  }
}

function refuseToken(answer: Answer): Promise<void> {
  return answer.refuse(401, { 'x-error-message': 'Invalid credentials in Authorization header' });
}

/** What is below a revision, which may have slashes of its own. */
function revisionOf(
  { branches, commit }: HubRepository,
  parts: readonly string[],
): { readonly path: string } | undefined {
  const names = ['HEAD', commit, ...branches];
  for (let count = 1; count <= parts.length; count++) {
    if (names.includes(parts.slice(0, count).join('/'))) {
      return { path: parts.slice(count).join('/') };
    }
  }
  return undefined;
}

function describe({ kind, name, commit, access, files, cardData }: HubRepository): object {
  return {
    _id: commit.slice(0, 24),
    id: name,
    ...(kind === 'model' && { modelId: name, pipeline_tag: 'text-generation' }),
    sha: commit,
    private: access === 'private',
    gated: access === 'gated' ? 'manual' : false,
    disabled: false,
    downloads: 1,
    likes: 1,
    tags: [],
    createdAt: '2024-01-01T00:00:00.000Z',
    lastModified: '2024-01-01T00:00:00.000Z',
    siblings: [...files.keys()].map((rfilename) => ({ rfilename })),
    ...(cardData !== undefined && { cardData }),
  };
}

function treeOf({ files }: HubRepository): readonly { readonly path: string }[] {
  const folders = new Set<string>();
  for (const path of files.keys()) {
    const parts = path.split('/');
    for (let depth = 1; depth < parts.length; depth++) folders.add(parts.slice(0, depth).join('/'));
  }
  return [
    ...[...folders].map((path) => ({ type: 'directory', oid: '0'.repeat(40), size: 0, path })),
    ...[...files.values()].map((file) => ({
      type: 'file',
      path: file.path,
      size: file.saidSize ?? file.content.length,
      oid: file.isLarge ? '1'.repeat(40) : digestOf(file),
      ...(file.isLarge && {
        lfs: { oid: digestOf(file), size: file.content.length, pointerSize: 134 },
        xetHash: digestOf(file),
      }),
    })),
  ];
}

function originOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** One answer, which may go wrong. */
class Answer {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #fault: Fault | undefined;

  constructor(request: IncomingMessage, response: ServerResponse, fault: Fault | undefined) {
    this.#request = request;
    this.#response = response;
    this.#fault = fault;
  }

  async refuse(status: number, headers: Readonly<Record<string, string>>): Promise<void> {
    const error = headers['x-error-message'] ?? 'refused';
    this.#response.writeHead(status, { 'content-type': 'application/json', ...headers });
    this.#response.end(this.#isHead ? '' : JSON.stringify({ error }));
  }

  async redirect(
    status: number,
    location: string,
    headers: Readonly<Record<string, string>>,
  ): Promise<void> {
    this.#response.writeHead(status, { location, 'content-length': '0', ...headers });
    this.#response.end();
  }

  /** What was written is answered as it is, but for faults of JSON. */
  async said({ status, body, headers = {} }: WriteAnswer): Promise<void> {
    if (status < 300 && body !== undefined) return this.json(body, headers);
    const text = body === undefined ? '' : JSON.stringify(body);
    this.#response.writeHead(status, {
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(text)),
      ...headers,
    });
    this.#response.end(text);
  }

  json(value: unknown, headers: Readonly<Record<string, string>> = {}): Promise<void> {
    const said = this.#fault === 'null' ? null : value;
    const text = this.#fault === 'no-json' ? '<html>' : JSON.stringify(said);
    return this.#send(200, Buffer.from(text), { 'content-type': 'application/json', ...headers });
  }

  async file(file: HubFile, headers: Readonly<Record<string, string>>): Promise<void> {
    const { content } = file;
    const common = {
      etag: `"${digestOf(file)}"`,
      'accept-ranges': 'bytes',
      'content-type': 'application/octet-stream',
      ...headers,
    };
    const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(this.#request.headers.range ?? '') ?? [];
    if (from === undefined || this.#fault === 'no-range') return this.#send(200, content, common);
    const start = Number(from) + (this.#fault === 'other-range' ? 1 : 0);
    const end = to ? Math.min(Number(to) + 1, content.length) : content.length;
    if (start >= content.length) {
      return this.#send(416, Buffer.alloc(0), { 'content-range': `bytes */${content.length}` });
    }
    const range = `bytes ${start}-${end - 1}/${content.length}`;
    return this.#send(206, content.subarray(start, end), { ...common, 'content-range': range });
  }

  async #send(
    status: number,
    body: Buffer,
    headers: Readonly<Record<string, string>>,
  ): Promise<void> {
    const fault = this.#fault;
    let bytes = body;
    if (fault === 'corrupt' && body.length > 0) {
      bytes = Buffer.from(body);
      bytes[bytes.length >> 1]! ^= 1;
    }
    if (fault === 'too-much') bytes = Buffer.concat([body, Buffer.alloc(1000)]);
    const isObject = typeof fault === 'object';
    if (isObject && 'endAfter' in fault) bytes = bytes.subarray(0, fault.endAfter);
    this.#response.writeHead(status, { 'content-length': String(bytes.length), ...headers });
    if (this.#isHead) {
      this.#response.end();
    } else if (isObject && 'cutAfter' in fault) {
      this.#response.write(bytes.subarray(0, fault.cutAfter));
      // What was written is to arrive before the connection breaks.
      await delay(20);
      this.#request.socket.destroy();
    } else if (isObject && 'pieceBytes' in fault) {
      for (let at = 0; at < bytes.length && !this.#response.destroyed; at += fault.pieceBytes) {
        this.#response.write(bytes.subarray(at, at + fault.pieceBytes));
        await delay(fault.pauseMs);
      }
      this.#response.end();
    } else this.#response.end(bytes);
  }

  get #isHead(): boolean {
    return this.#request.method === 'HEAD';
  }
}
