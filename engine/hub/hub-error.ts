import { type ErrorCode, LorafaError } from '../errors.ts';
import { quote, spoken } from '../quote.ts';

/** What of the Hub cannot be had, and whether it is worth trying again. */
export class HubError extends LorafaError {
  /** Milliseconds to wait before another try; undefined where another one would end like this. */
  readonly retryAfterMs: number | undefined;

  constructor(
    code: Extract<ErrorCode, `hub.${string}`>,
    message: string,
    { retryAfterMs, cause }: { readonly retryAfterMs?: number; readonly cause?: unknown } = {},
  ) {
    super(code, message, { cause });
    this.retryAfterMs = retryAfterMs;
  }
}

/** An error that is not tried again any more, whoever else would. */
export function final(error: unknown): unknown {
  if (!(error instanceof HubError) || error.retryAfterMs === undefined) return error;
  return new HubError(error.code as `hub.${string}` & ErrorCode, error.message, { cause: error });
}

/** What is asked of the Hub, for sentences. */
export interface HubSubject {
  /** For people: `the model owner/name`. */
  readonly title: string;
  /** Its page. */
  readonly page: string;
  readonly revision: string;
  /** Whether a token is sent along. */
  readonly hasToken: boolean;
  /** Whether something is sent there, and not only asked for. */
  readonly isWritten?: boolean;
}

/** Where people make access tokens. */
export const TOKENS = 'https://huggingface.co/settings/tokens';

/** How to sign in. */
export const SIGN_IN = `sign in (by "LoRA-FA: Sign in to Hugging Face" in VS Code, by HF_TOKEN elsewhere)`;

/** A server that is asked again at once is asked too much. */
const RETRY_MS = 1000;

/** Nobody waits longer than that for another try, whatever a hub says. */
export const LONGEST_WAIT_MS = 60_000;

/**
 * The error for an answer that is no success: one sentence, by what the Hub says and does not say.
 *
 * @param reason the Hub's own words, without what must not be shown
 */
export function refusal(
  response: Pick<Response, 'status' | 'headers'>,
  subject: HubSubject,
  reason: string,
): HubError {
  const { title, page, revision, hasToken, isWritten } = subject;
  const { status, headers } = response;
  const code = headers.get('x-error-code') ?? '';
  const said = reason.trim().replace(/\.$/, '');
  const words = said === '' ? '' : ` The hub says: ${spoken(said, 300)}.`;
  if (code === 'GatedRepo') {
    return new HubError(
      'hub.gated',
      `Access to ${title} is given on request: ask for it at ${page}${hasToken ? '' : `, and ${SIGN_IN}`}.`,
    );
  }
  if (code === 'RevisionNotFound') {
    return new HubError(
      'hub.not_found',
      `${title} has no revision ${quote(revision)}; see ${page} for its branches and tags.`,
    );
  }
  if (code === 'EntryNotFound') {
    return new HubError('hub.not_found', `A file of ${title} is gone; see ${page}.`);
  }
  const isInvalidToken = hasToken && status === 401 && code !== 'RepoNotFound';
  if (isInvalidToken) {
    return new HubError(
      'hub.unauthorized',
      `The hub does not accept your access token; make a new one at ${TOKENS} and ${SIGN_IN}.`,
    );
  }
  const writing = isWritten ? writeRefusal(status, said, words, subject) : undefined;
  if (writing !== undefined) return writing;
  switch (status) {
    case 401:
    case 404:
      return new HubError(
        'hub.not_found',
        `There is no ${title.replace(/^the /, '')} on the hub${hasToken ? ' that you may see' : ''}, nor a file or folder of that name here; check the name${hasToken ? '' : `, or, if it is private, ${SIGN_IN}`}.`,
      );
    case 403:
      return new HubError(
        'hub.forbidden',
        `Your access token does not allow to read ${title}; give it that permission at ${TOKENS}, or see ${page}.${words}`,
      );
    case 429:
      return rateLimited(headers.get('retry-after'), hasToken);
    default:
      return status >= 500
        ? unavailable(status, headers.get('retry-after'), words)
        : new HubError(
            'hub.bad_answer',
            `The hub answers with the status ${status} where ${title} is asked for; check HF_ENDPOINT, or try again later.${words}`,
          );
  }
}

/** The error for what the Hub does not take; undefined where nothing is special about writing. */
function writeRefusal(
  status: number,
  said: string,
  words: string,
  { title, page }: HubSubject,
): HubError | undefined {
  // There is no status of its own for storage that is full.
  if (status === 402 || status === 507 || /storage|quota/i.test(said)) {
    return new HubError(
      'hub.quota',
      `There is no room on the hub for what is sent to ${title}; remove something there, or see your account's limits at ${page.split('/').slice(0, 3).join('/')}/settings/billing.${words}`,
    );
  }
  switch (status) {
    case 403:
      return new HubError(
        'hub.forbidden',
        `Your access token does not allow to write to ${title}; give it that permission at ${TOKENS} (role "write"), or choose a repository of your own.${words}`,
      );
    case 409:
    case 412:
      return new HubError(
        'hub.conflict',
        `${capitalized(title)} was changed by somebody else meanwhile, and nothing was committed; look at ${page} and push again.${words}`,
      );
    case 413:
      return new HubError(
        'hub.too_large',
        `A file is too large for ${title}; see the limits in the hub's documentation, and export a smaller one.${words}`,
      );
    case 400:
    case 422:
      return new HubError(
        'hub.refused',
        `The hub does not take what is sent to ${title}; change what it names, and push again.${words}`,
      );
    default:
      return undefined;
  }
}

function capitalized(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

function unavailable(status: number, header: string | null, words: string): HubError {
  const wait = retryAfter(header);
  return new HubError(
    'hub.unavailable',
    `The hub has a problem of its own (status ${status}); try again ${inSeconds(wait)}.${words}`,
    worthWaiting(wait ?? RETRY_MS),
  );
}

function rateLimited(header: string | null, hasToken: boolean): HubError {
  const wait = retryAfter(header);
  return new HubError(
    'hub.rate_limited',
    `The hub takes no more requests from here for a while; try again ${inSeconds(wait)}${wait || hasToken ? '' : `, or ${SIGN_IN}, which raises the limit`}.`,
    wait === undefined ? {} : worthWaiting(wait),
  );
}

function inSeconds(wait: number | undefined): string {
  return !wait ? 'later' : `in ${Math.ceil(wait / 1000)} seconds`;
}

function worthWaiting(wait: number): { readonly retryAfterMs?: number } {
  return wait <= LONGEST_WAIT_MS ? { retryAfterMs: wait } : {};
}

/** Milliseconds of a `Retry-After` header, which holds seconds or a date. */
function retryAfter(header: string | null): number | undefined {
  if (header === null) return undefined;
  const milliseconds = /^\d+$/.test(header)
    ? 1000 * Number(header)
    : // `Date.parse` takes -5 for a month.
      Date.parse(/[a-z]/i.test(header) ? header : '') - Date.now();
  return Number.isFinite(milliseconds) ? Math.max(0, milliseconds) : undefined;
}

/** How the Hub was asked, for sentences. */
export interface HubWay {
  /** `host:port` of what is in between. */
  readonly proxy?: string | undefined;
  /** Whether what is on this machine may do instead. */
  readonly worksOffline: boolean;
}

/** The error for a hub that cannot be reached, or a connection that broke. */
export function unreachable(
  endpoint: string,
  error: unknown,
  { proxy, worksOffline }: HubWay,
): HubError {
  const reason = reasonOf(error);
  if (proxy !== undefined && /\b407\b/.test(reason)) return refusedByProxy(proxy);
  const [way, check] =
    proxy === undefined ? ['', 'the network'] : [` through the proxy ${proxy}`, PROXY_PLACES];
  return new HubError(
    'hub.unreachable',
    `${endpoint} cannot be reached${way} (${reason}); check ${check}, ${worksOffline ? 'or set HF_HUB_OFFLINE=1 to use only what is on this machine' : 'and try again'}.`,
    { retryAfterMs: RETRY_MS, cause: error },
  );
}

/** An answer that makes no sense; another one may. */
export function badAnswer(subject: Pick<HubSubject, 'title'>, problem: string): HubError {
  return new HubError(
    'hub.bad_answer',
    `What the hub answers about ${subject.title} cannot be used: ${problem}; check HF_ENDPOINT, or try again later.`,
    { retryAfterMs: RETRY_MS },
  );
}

const PROXY_PLACES = 'HTTPS_PROXY, HTTP_PROXY or the setting http.proxy';

/** The error for a proxy that wants to know who asks. */
export function refusedByProxy(proxy: string): HubError {
  return new HubError(
    'hub.bad_proxy',
    `The proxy ${proxy} wants another name and password; give them in ${PROXY_PLACES}, as http://name:password@${proxy}.`,
  );
}

/** How the library says that a proxy did not do what it was asked, by its status. */
const PROXY_REFUSAL = /^Proxy .*?\b(\d{3})\b/;

/** `fetch` itself only says that it failed; why stands in its cause. */
function reasonOf(error: unknown): string {
  const causes = [error];
  while (causes.at(-1) instanceof Error && causes.length < 5) {
    causes.push((causes.at(-1) as Error).cause);
  }
  const byProxy = causes.find((each) => each instanceof Error && PROXY_REFUSAL.test(each.message));
  if (byProxy !== undefined)
    return `it answers ${PROXY_REFUSAL.exec((byProxy as Error).message)![1]}`;
  // Errors of the platform (`DOMException`) have numbers there, which tell nobody anything.
  const codes = causes.map((each) => (each instanceof Error && 'code' in each ? each.code : ''));
  const code = codes.find((each) => typeof each === 'string' && each !== '');
  if (code !== undefined) return String(code);
  const last = causes.findLast((each) => each instanceof Error) as Error | undefined;
  return last?.name === 'TimeoutError' ? 'no answer in time' : (last?.message ?? String(error));
}
