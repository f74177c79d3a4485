import { homedir } from 'node:os';
import path from 'node:path';
import { HubError } from './hub-error.ts';

/** Where the Hub is, and where what comes from it is kept. */
export interface HubSettings {
  /** Without a slash at its end. */
  readonly endpoint: string;
  /** The cache that Python's huggingface_hub keeps as well. */
  readonly cacheFolder: string;
  /** Nothing is asked of the Hub. */
  readonly isOffline: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The settings by the environment variables that Python's huggingface_hub reads: `HF_ENDPOINT`,
 * `HF_HOME`, `HF_HUB_CACHE`, `HF_HUB_OFFLINE` and `XDG_CACHE_HOME`.
 *
 * @throws HubError `hub.bad_endpoint`
 */
export function hubSettings(env: Environment = process.env): HubSettings {
  const isOn = (value = ''): boolean => /^(1|true|yes|on)$/i.test(value);
  return {
    endpoint: endpointOf(env['HF_ENDPOINT'] || 'https://huggingface.co'),
    cacheFolder: hubCacheFolder(env),
    isOffline: isOn(env['HF_HUB_OFFLINE']) || isOn(env['TRANSFORMERS_OFFLINE']),
  };
}

/** The folder in which huggingface_hub keeps what it downloaded. */
export function hubCacheFolder(env: Environment = process.env): string {
  const chosen = env['HF_HUB_CACHE'] || env['HUGGINGFACE_HUB_CACHE'];
  return path.resolve(chosen ? expandHome(chosen) : path.join(hubHome(env), 'hub'));
}

/** The folder of cache and token: `HF_HOME`, or `huggingface` in the user's cache folder. */
export function hubHome(env: Environment = process.env): string {
  const caches = env['XDG_CACHE_HOME'] || path.join(homedir(), '.cache');
  return expandHome(env['HF_HOME'] || path.join(caches, 'huggingface'));
}

/** A path in which `~` is the home folder, as Python expands it. */
export function expandHome(name: string): string {
  return name === '~' || /^~[/\\]/.test(name) ? path.join(homedir(), name.slice(1)) : name;
}

function endpointOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && (url.username !== '' || url.password !== '')) {
    throw new HubError(
      'hub.bad_endpoint',
      'The variable HF_ENDPOINT holds a name or a password, which are not sent; take them out, and give what lets you in as HF_TOKEN.',
    );
  }
  if (url?.protocol === 'https:' || url?.protocol === 'http:') return text.replace(/\/+$/, '');
  throw new HubError(
    'hub.bad_endpoint',
    'The variable HF_ENDPOINT holds no address of a hub; set it to one like https://huggingface.co, or remove it.',
  );
}
