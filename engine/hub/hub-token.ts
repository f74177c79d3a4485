import path from 'node:path';
import { readBoundedFile } from '../bounded-file.ts';
import { HubError } from './hub-error.ts';
import { expandHome, hubHome } from './hub-settings.ts';

/** More than any token has. */
const MAX_BYTES = 2 ** 14;

/** Variables that hold a token, the newer one first. */
const VARIABLES = ['HF_TOKEN', 'HUGGING_FACE_HUB_TOKEN'] as const;

type Environment = Readonly<Record<string, string | undefined>>;

let given: string | undefined;

/**
 * The access token that this process was given by the one that started it, in a message: never by an
 * argument or a variable, which others can read. It goes before those that a process finds itself.
 */
export function giveHubToken(token: string | undefined): void {
  given = token;
}

/** The token that a process which is started now is to be given, unless it finds one in a file itself. */
export function tokenToGive(env: Environment = process.env): string | undefined {
  return given ?? VARIABLES.map((name) => env[name]).find(Boolean);
}

/** The environment of a process that is started now: whoever may look at it sees no token. */
export function withoutToken(env: Environment = process.env): NodeJS.ProcessEnv {
  const isToken = (name: string): boolean => (VARIABLES as readonly string[]).includes(name);
  return Object.fromEntries(Object.entries(env).filter(([name]) => !isToken(name)));
}

/**
 * The user's access token, from where Python's huggingface_hub looks for it: `HF_TOKEN`, or the file
 * that `hf auth login` writes.
 *
 * @throws HubError `hub.bad_token` for what can be no token, without quoting it
 */
export async function hubToken(env: Environment = process.env): Promise<string | undefined> {
  const token = (tokenToGive(env) || (await readTokenFile(env)))?.trim();
  if (token === undefined || token === '') return undefined;
  // Anything else could not be sent, or would be sent as more than a token.
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  const place = given
    ? 'that you signed in with'
    : tokenToGive(env)
      ? 'in HF_TOKEN'
      : 'in the token file';
  throw new HubError(
    'hub.bad_token',
    `The access token ${place} holds characters that no token has; copy it again from https://huggingface.co/settings/tokens.`,
  );
}

async function readTokenFile(env: Environment): Promise<string | undefined> {
  const file = expandHome(env['HF_TOKEN_PATH'] || path.join(hubHome(env), 'token'));
  return readBoundedFile(file, MAX_BYTES).then(String, () => undefined);
}
