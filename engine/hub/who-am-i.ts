import { z } from 'zod';
import { SIZED } from '../sized.ts';
import { HubConnection } from './hub-connection.ts';
import { badAnswer, HubError } from './hub-error.ts';
import { hubSettings } from './hub-settings.ts';
import { hubToken } from './hub-token.ts';

const answerSchema = z.object({
  name: z.string().min(1, SIZED).max(200, SIZED),
  auth: z
    .object({ accessToken: z.object({ role: z.string() }).partial().optional() })
    .optional()
    .catch(undefined),
});

/** Whose access token it is, and what it is for. */
export interface Account {
  readonly name: string;
  /** Whether nothing can be written with it; one with rights of its own (`fineGrained`) may or may not. */
  readonly isReadOnly: boolean;
}

/**
 * Asks the Hub whose access token this process has.
 *
 * @throws HubError `hub.unauthorized` for a token that the Hub does not accept, or when there is none
 */
export async function whoAmI(): Promise<string> {
  const settings = hubSettings();
  const connection = new HubConnection(settings, { token: await hubToken() });
  return (await accountOf(connection)).name;
}

/** Asks the Hub whose access token a connection has. @throws as {@link whoAmI} */
export async function accountOf(connection: HubConnection): Promise<Account> {
  const { endpoint, hasToken } = connection;
  const subject = { title: 'your account', page: endpoint, revision: 'main', hasToken };
  if (!hasToken) throw new HubError('hub.unauthorized', 'There is no access token.');
  // The client library would want the token itself, and takes only those that begin as today's do.
  const response = await connection.fetchFor(subject)(`${endpoint}/api/whoami-v2`);
  const { data } = answerSchema.safeParse(await response.json());
  if (data === undefined) throw badAnswer(subject, 'it does not say whose token that is');
  return { name: data.name, isReadOnly: data.auth?.accessToken?.role === 'read' };
}
