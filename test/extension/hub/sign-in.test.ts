import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ResponseError } from 'vscode-jsonrpc';
import type { Secrets } from '../../../extension/hub/secrets.ts';
import { signIn } from '../../../extension/hub/sign-in.ts';
import { RPC_ERRORS } from '../../../server/rpc/message.ts';
import { shown, user } from '../../support/vscode-window.ts';

vi.mock('vscode', () => import('../../support/vscode-window.ts'));

const REFUSED = 'The hub does not accept your access token.';

/** Signs in where the Hub knows one token; each question for one is answered by the next. */
async function signInWith(typed: readonly string[], says: (shownTo: string) => unknown) {
  const [kept, left]: [{ token?: string | undefined }, string[]] = [{}, [...typed]];
  const secrets: Pick<Secrets, 'hubToken' | 'keep'> = {
    hubToken: async () => kept.token,
    keep: async (token) => {
      kept.token = token;
    },
  };
  const ask = async (): Promise<string> => {
    if (kept.token === 'hf_right') return 'somebody';
    const failure = { code: 'hub.unauthorized', problems: [] };
    throw new ResponseError(RPC_ERRORS.failed, REFUSED, failure);
  };
  user.reply = (to, args) => {
    if (to === 'quickPick') return (args[0] as unknown[])[0];
    if (to === 'inputBox') return left.shift();
    return to === 'error' ? says(to) && args[1] : undefined;
  };
  const isSignedIn = await signIn(secrets as Secrets, { ask } as never);
  return { isSignedIn, token: kept.token };
}

beforeEach(() => {
  shown.length = 0;
});

afterEach(() => {
  user.reply = undefined;
});

test('a token that is refused is told of, and the next one is taken', async () => {
  const { isSignedIn, token } = await signInWith(['hf_wrong', 'hf_right'], () => true);
  expect({ isSignedIn, token }).toEqual({ isSignedIn: true, token: 'hf_right' });
  const errors = shown.filter(({ to }) => to === 'error');
  expect(errors).toEqual([
    {
      to: 'error',
      args: [REFUSED, expect.objectContaining({ title: 'Sign in to Hugging Face…' })],
    },
  ]);
});

test('a token that is refused is not kept', async () => {
  const { isSignedIn, token } = await signInWith(['hf_wrong'], () => false);
  expect({ isSignedIn, token }).toEqual({ isSignedIn: false, token: undefined });
  expect(shown.at(-1)).toMatchObject({ to: 'error', args: [REFUSED, expect.anything()] });
});
