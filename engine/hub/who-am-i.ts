import { z } from 'zod';
import { SIZED } from '../sized.ts';
import { HubConnection } from './hub-connection.ts';
import { badAnswer, HubError } from './hub-error.ts';
import { hubSettings } from './hub-settings.ts';
import { hubToken } from './hub-token.ts';

const answerSchema = z.object({ name: z.string().min(1, SIZED).max(200, SIZED) });

/**
 * Asks the Hub whose access token this process has.
 *
 * @throws HubError `hub.unauthorized` for a token that the Hub does not accept, or when there is none
 */
export async function whoAmI(): Promise<string> {
  const settings = hubSettings();
  const connection = new HubConnection(settings, { token: await hubToken() });
  const subject = {
    title: 'your account',
    page: settings.endpoint,
    revision: 'main',
    hasToken: connection.hasToken,
  };
  if (!connection.hasToken) throw new HubError('hub.unauthorized', 'There is no access token.');
  // The client library would want the token itself, and takes only those that begin as today's do.
  const response = await connection.fetchFor(subject)(`${settings.endpoint}/api/whoami-v2`);
  const { data } = answerSchema.safeParse(await response.json());
  if (data === undefined) throw badAnswer(subject, 'it does not say whose token that is');
  return data.name;
}
