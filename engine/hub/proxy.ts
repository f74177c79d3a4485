import { HubError } from './hub-error.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** The proxies that requests go through, as addresses; empty strings where there are none. */
export interface ProxySettings {
  readonly http: string;
  readonly https: string;
  /** Hosts that are reached without one, as in `NO_PROXY`. */
  readonly except: string;
}

/**
 * The proxies by the environment variables that most programs read: `HTTPS_PROXY`, `HTTP_PROXY` and
 * `NO_PROXY`, of which those in small letters go first. As in curl, `HTTP_PROXY` is for addresses that are
 * not encrypted alone.
 *
 * @throws HubError `hub.bad_proxy`
 */
export function proxySettings(env: Environment = process.env): ProxySettings {
  const variable = (name: string): string => env[name.toLowerCase()] ?? env[name] ?? '';
  return {
    http: proxyAddress('HTTP_PROXY', variable('HTTP_PROXY')),
    https: proxyAddress('HTTPS_PROXY', variable('HTTPS_PROXY')),
    except: variable('NO_PROXY'),
  };
}

const VARIABLES = [
  'HTTP_PROXY',
  'http_proxy',
  'HTTPS_PROXY',
  'https_proxy',
  'NO_PROXY',
  'no_proxy',
];

/** The environment that this process was started with, as far as it is about proxies. */
const inherited = VARIABLES.map((name) => [name, process.env[name]] as const);

/**
 * Sends what this process and those that it starts from now on ask through another proxy than that of the
 * environment; undefined: through that one again.
 *
 * @param except hosts that are reached without it; those of the environment, where there are none
 */
export function giveProxy(proxy: string | undefined, except: readonly string[] = []): void {
  const { env } = process;
  for (const name of VARIABLES) delete env[name];
  for (const [name, value] of inherited) if (value !== undefined) env[name] = value;
  if (proxy !== undefined) {
    for (const name of VARIABLES.slice(0, 4)) delete env[name];
    env['HTTP_PROXY'] = proxy;
    env['HTTPS_PROXY'] = proxy;
  }
  if (except.length === 0) return;
  delete env['no_proxy'];
  env['NO_PROXY'] = except.join(',');
}

/** An address may come without its protocol. What is in it stands in no sentence: it may hold a password. */
function proxyAddress(name: string, text: string): string {
  const address = text === '' || text.includes('://') ? text : `http://${text}`;
  if (address === '') return '';
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return address;
  throw new HubError(
    'hub.bad_proxy',
    `The variable ${name} (or the setting http.proxy) holds no address of a proxy that can be used; set it to one like http://proxy.example.com:8080, or remove it.`,
  );
}

/** The proxy that an address is reached through, as `host:port`; undefined where it is reached directly. */
export function proxyOf(
  { protocol, hostname, port }: URL,
  settings: ProxySettings,
): string | undefined {
  const address = protocol === 'https:' ? settings.https : settings.http;
  return address === '' || isExcepted(hostname, port || DEFAULT_PORTS[protocol], settings.except)
    ? undefined
    : new URL(address).host;
}

const DEFAULT_PORTS: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' };

/** Names mean themselves and what is below them; `*` means all. */
function isExcepted(host: string, port: string | undefined, except: string): boolean {
  return except.split(/[,\s]+/).some((entry) => {
    if (entry === '*') return true;
    const [, name = '', only] = /^\*?\.?(.*?)(?::(\d+))?$/.exec(entry.toLowerCase()) ?? [];
    const isName = name !== '' && (host === name || host.endsWith(`.${name}`));
    return isName && (only === undefined || only === port);
  });
}

/** A `fetch` for each proxy, whose connections are kept. */
const throughProxies = new Map<string, Promise<typeof fetch>>();

/**
 * The `fetch` that reaches an address: Node's own, or one that goes through the proxy for it. What is encrypted
 * goes through a tunnel, in which the proxy sees nothing but the name of the host.
 *
 * @throws HubError `hub.bad_proxy`
 */
export function fetchFor(place: URL, settings: ProxySettings): Promise<typeof fetch> {
  if (proxyOf(place, settings) === undefined) return Promise.resolve(fetch);
  const address = place.protocol === 'https:' ? settings.https : settings.http;
  const known = throughProxies.get(address) ?? fetchThrough(address);
  throughProxies.set(address, known);
  return known;
}

/** Node's own `fetch` has no proxies in all versions; the library that it is made of does, and is loaded for them alone. */
async function fetchThrough(address: string): Promise<typeof fetch> {
  // A bundle has no names of a CommonJS module but this one.
  const { fetch: send, ProxyAgent } = (await import('undici')).default;
  // Many proxies allow tunnels to encrypted ports only.
  const dispatcher = new ProxyAgent({ uri: address, proxyTunnel: false });
  return ((place: URL, options: object) =>
    send(place, { ...options, dispatcher })) as unknown as typeof fetch;
}
