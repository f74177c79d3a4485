import { setTimeout as delay } from 'node:timers/promises';
import { LorafaError } from '../errors.ts';
import { type HubAnswer, parsedAnswer, readText, wordsOf } from './hub-answer.ts';
import {
  badAnswer,
  HubError,
  type HubSubject,
  LONGEST_WAIT_MS,
  refusal,
  refusedByProxy,
  unreachable,
} from './hub-error.ts';
import type { HubSettings } from './hub-settings.ts';
import { fetchFor, proxyOf, proxySettings } from './proxy.ts';
import { Silence } from './silence.ts';

/** A server that says nothing for so long is gone. */
const SILENCE_MS = 30_000;

/** More than the hub sends anybody from one host to the next. */
const MAX_REDIRECTS = 10;

/** What is sent is too large, whoever says so. */
const TOO_LARGE = 413;

/** How many times as long an answer may take that comes when the Hub has done something. */
const SLOW = 10;

/** Requests for the list of one repository, each of which names a thousand files or so. */
const MAX_PAGES = 1000;

/** How often something is tried before it counts as not to be had. */
const TRIES = 5;

/** How a connection behaves; other values are for tests. */
export interface HubConnectionOptions {
  /** The user's access token; undefined for none. */
  readonly token: string | undefined;
  readonly tries?: number;
  readonly silenceMs?: number;
  /** The longest wait before another try. */
  readonly retryMs?: number;
  /** Whether what is on this machine may do instead of the Hub; only for what is said where it cannot be reached. */
  readonly worksOffline?: boolean;
  /** Ends whatever goes on; what is asked for then ends with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/** What is sent, which may have to be sent again. */
export interface HubSending {
  readonly method: 'POST' | 'PUT';
  /** Its media type, where one is to be said. */
  readonly type?: string;
  /** In bytes. */
  readonly size: number;
  /** The bytes from the first on, anew at each call. */
  readonly pieces: () => AsyncIterable<Uint8Array>;
  /** Whether the answer comes only when something is done that takes time. */
  readonly isSlow?: boolean;
}

/** Bytes that are posted, and whose answer comes when something is done with them. */
export function posted(bytes: Buffer, type: string): HubSending {
  return {
    ...{ method: 'POST', type, size: bytes.length, isSlow: true },
    pieces: async function* () {
      yield bytes;
    },
  };
}

/**
 * Requests to the Hub. The token goes to the Hub itself and to no other host, whatever redirects and
 * links the answers hold.
 */
export class HubConnection {
  readonly endpoint: string;
  readonly #origin: string;
  readonly #token: string | undefined;
  readonly #tries: number;
  readonly #silenceMs: number;
  readonly #retryMs: number;
  readonly #worksOffline: boolean;
  /** Ends whatever goes on. */
  readonly signal: AbortSignal | undefined;

  constructor({ endpoint }: Pick<HubSettings, 'endpoint'>, options: HubConnectionOptions) {
    this.endpoint = endpoint;
    this.#origin = new URL(endpoint).origin;
    this.#token = options.token;
    this.#tries = options.tries ?? TRIES;
    this.#silenceMs = options.silenceMs ?? SILENCE_MS;
    this.#retryMs = options.retryMs ?? LONGEST_WAIT_MS;
    this.#worksOffline = options.worksOffline ?? false;
    this.signal = options.signal;
  }

  get hasToken(): boolean {
    return this.#token !== undefined;
  }

  /** @throws what whoever has aborted it gave as the reason */
  throwIfAborted(): void {
    this.signal?.throwIfAborted();
  }

  /**
   * Asks for something, following redirects.
   *
   * @throws HubError for every answer that is no success
   */
  async get(
    url: string,
    subject: HubSubject,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<HubAnswer> {
    return this.#follow(url, subject, (place) => this.#ask(place, headers));
  }

  /**
   * Sends something, once: whoever knows that another try does no harm tries again. An address that it is
   * redirected to gets it whole, and only where the Hub says that it is to be sent there as it is.
   *
   * @param onSent told of bytes as they leave
   * @returns headers and text of the answer
   * @throws HubError for every answer that is no success
   */
  async send(
    url: string,
    subject: HubSubject,
    sending: HubSending,
    onSent: (bytes: number) => void = () => undefined,
  ): Promise<{ readonly headers: Headers; readonly text: string }> {
    const { response, body } = await this.#follow(
      url,
      subject,
      (place) =>
        this.#ask(place, sending.type ? { 'content-type': sending.type } : {}, sending, onSent),
      [307, 308],
    );
    return { headers: response.headers, text: await readText(body, subject) };
  }

  /** Sends a value as JSON; returns the one that is answered, which may be anything. See {@link send}. */
  async post(
    url: string,
    subject: HubSubject,
    value: object,
    type = 'application/json',
  ): Promise<unknown> {
    const bytes = Buffer.from(JSON.stringify(value));
    const { text } = await this.send(url, subject, posted(bytes, type));
    // Some say nothing but that it is done.
    return text.trim() === '' ? null : parsedAnswer(text, subject);
  }

  /** Asks, and asks where it is redirected to; `followed` are the statuses of redirections that count. */
  async #follow(
    url: string,
    subject: HubSubject,
    ask: (place: URL) => Promise<HubAnswer>,
    followed?: readonly number[],
  ): Promise<HubAnswer> {
    let place = new URL(url);
    for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
      const answer = await ask(place);
      const { response } = answer;
      const { status } = response;
      if (response.ok) return answer;
      const target = response.headers.get('location');
      const isRedirect = followed?.includes(status) ?? (status >= 300 && status < 400);
      if (!isRedirect || target === null) {
        const said = await wordsOf(answer, subject);
        throw place.origin === this.#origin || status >= 429 || status === TOO_LARGE
          ? refusal(response, subject, this.#withoutToken(said))
          : // The address that the hub gave has run out, say; it gives another one.
            badAnswer(subject, `${place.host}, to which it sends, says ${status}`);
      }
      await answer.discard();
      place = nextPlace(target, place, subject);
    }
    throw badAnswer(subject, 'it redirects without end');
  }

  /**
   * `fetch` for the client library, which asks for JSON: with the token, another try where that may
   * help, and limits on what comes. The library itself is given no token: it would send it to any
   * host that a link names.
   */
  fetchFor(subject: HubSubject): typeof fetch {
    let pages = 0;
    return (input) => {
      pages += 1;
      if (pages > MAX_PAGES) throw badAnswer(subject, 'its list of files has no end');
      return this.retrying(async () => {
        const { response, body } = await this.get(String(input), subject, {
          accept: 'application/json',
        });
        const text = await readText(body, subject);
        parsedAnswer(text, subject);
        return new Response(text, { status: 200, headers: response.headers });
      });
    };
  }

  /**
   * Does something again as long as that may help.
   *
   * @param hasProgress asked after a failure: whether the last try got further, so that it does not count
   */
  async retrying<T>(action: () => Promise<T>, hasProgress = () => false): Promise<T> {
    for (let failures = 1; ; failures++) {
      try {
        return await action();
      } catch (error) {
        if (hasProgress()) failures = 0;
        if (!(error instanceof HubError) || error.retryAfterMs === undefined) throw error;
        if (failures >= this.#tries) throw error;
        const wait = error.retryAfterMs * 2 ** Math.max(0, failures - 1);
        await delay(Math.min(wait, this.#retryMs), undefined, { signal: this.signal });
      }
    }
  }

  /** A hub may say again what it was told. */
  #withoutToken(text: string): string {
    return this.#token === undefined ? text : text.replaceAll(this.#token, '…');
  }

  async #ask(
    place: URL,
    headers: Readonly<Record<string, string>>,
    sending?: HubSending,
    onSent: (bytes: number) => void = () => undefined,
  ): Promise<HubAnswer> {
    const isHub = place.origin === this.#origin;
    const proxies = proxySettings();
    const proxy = proxyOf(place, proxies);
    const patience = this.#silenceMs * (sending?.isSlow ? SLOW : 1);
    const silence = new Silence(patience, this.signal);
    try {
      const send = await fetchFor(place, proxies);
      const response = await send(place, {
        ...(sending !== undefined && {
          method: sending.method,
          body: streamOf(silence.sent(sending.pieces(), onSent)),
          duplex: 'half',
        }),
        redirect: 'manual',
        signal: silence.signal,
        headers: {
          'user-agent': 'lorafa',
          // What is stored is what is hashed, and ranges count its bytes.
          'accept-encoding': 'identity',
          ...headers,
          // Storage takes nothing whose length it does not know.
          ...(sending !== undefined && { 'content-length': String(sending.size) }),
          ...(isHub && this.#token !== undefined && { authorization: `Bearer ${this.#token}` }),
        },
      });
      if (proxy !== undefined && response.status === 407) {
        await response.body?.cancel().catch(() => undefined);
        silence.end();
        throw refusedByProxy(proxy);
      }
      return {
        response,
        body: silence.watch(response.body, (error) =>
          // Whatever is in between has let the answer through.
          unreachable(place.origin, error, { worksOffline: this.#worksOffline }),
        ),
        discard: async () => {
          silence.end();
          await response.body?.cancel().catch(() => undefined);
        },
      };
    } catch (error) {
      silence.end();
      this.signal?.throwIfAborted();
      const cause = error instanceof Error ? error.cause : undefined;
      // What is to be sent may not be there: that is no matter of the connection.
      for (const each of [error, cause]) if (each instanceof LorafaError) throw each;
      throw unreachable(place.origin, error, { proxy, worksOffline: this.#worksOffline });
    }
  }
}

function nextPlace(target: string, from: URL, subject: HubSubject): URL {
  const next = URL.canParse(target, from.href) ? new URL(target, from) : undefined;
  if (next === undefined || !['http:', 'https:'].includes(next.protocol)) {
    throw badAnswer(subject, 'it redirects to what is no address');
  }
  if (next.username !== '' || next.password !== '') {
    throw badAnswer(subject, 'it redirects to an address with a name and a password');
  }
  if (from.protocol === 'https:' && next.protocol === 'http:') {
    throw badAnswer(subject, 'it redirects to a connection that is not encrypted');
  }
  return next;
}

/** The pieces as `fetch` takes them, one at a time. */
function streamOf(pieces: AsyncGenerator<Uint8Array>): ReadableStream<Uint8Array> {
  return new ReadableStream(
    {
      pull: async (controller) => {
        const { done, value } = await pieces.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: async () => void (await pieces.return(undefined)),
    },
    { highWaterMark: 0 },
  );
}
