import { giveHubToken } from '../engine/hub/hub-token.ts';
import { whoAmI } from '../engine/hub/who-am-i.ts';
import { hubTokenGiven, whoIsSignedIn } from './protocol.ts';
import { heed, type NotificationSource, type RequestSource, serve } from './rpc/serve.ts';

/** Takes the user's access token for the Hugging Face Hub, and answers whose it is. */
export function serveHub(connection: RequestSource & NotificationSource): void {
  heed(connection, hubTokenGiven, ({ token }) => giveHubToken(token ?? undefined));
  serve(connection, whoIsSignedIn, () => whoAmI());
}
