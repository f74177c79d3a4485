import path from 'node:path';
import { defaultCacheFolder } from '../cache-folder.ts';
import { HubConnection, type HubConnectionOptions } from './hub-connection.ts';
import { HubError } from './hub-error.ts';
import { hubSettings } from './hub-settings.ts';
import { hubToken } from './hub-token.ts';
import type { HubSession } from './snapshot.ts';

/** How patient a connection is. */
export type Patience = Omit<HubConnectionOptions, 'token' | 'worksOffline'>;

/**
 * A session for looking at what nobody has taken yet: the few bytes that are fetched for it lie in a
 * cache of our own, so that the shared one holds what is used.
 *
 * @throws HubError `hub.offline` where the Hub is not to be asked; as `hubSettings` and `hubToken`
 */
export async function lookingSession(patience: Patience = {}): Promise<HubSession> {
  const settings = hubSettings();
  if (settings.isOffline) {
    throw new HubError(
      'hub.offline',
      'HF_HUB_OFFLINE says not to ask the hub, so nothing can be looked for there; unset it, or take what is on this machine.',
    );
  }
  return {
    settings: { ...settings, cacheFolder: path.join(defaultCacheFolder(), 'looked-at') },
    connection: new HubConnection(settings, { token: await hubToken(), ...patience }),
    onDownload: () => undefined,
  };
}
