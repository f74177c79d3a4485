import { LorafaError } from '../../engine/errors.ts';
import { commitFiles } from '../../engine/hub/commit-files.ts';
import type { Patience } from '../../engine/hub/connect.ts';
import { DownloadProgress, type OnDownload } from '../../engine/hub/download-progress.ts';
import { HubConnection } from '../../engine/hub/hub-connection.ts';
import { HubError } from '../../engine/hub/hub-error.ts';
import { hubSettings } from '../../engine/hub/hub-settings.ts';
import { hubToken } from '../../engine/hub/hub-token.ts';
import { makeTarget } from '../../engine/hub/push-target.ts';
import type { PushPlan } from './plan-push.ts';

/** What a push came to. */
export interface PushResult {
  readonly repository: string;
  readonly page: string;
  /** 40 hexadecimal digits. */
  readonly commit: string;
  /** Bytes that were sent. */
  readonly bytes: number;
  readonly files: number;
}

/**
 * A connection for pushing.
 *
 * @throws HubError `hub.offline` where the Hub is not to be asked; as `hubSettings` and `hubToken`
 */
export async function pushConnection(patience: Patience = {}): Promise<HubConnection> {
  const settings = hubSettings();
  if (settings.isOffline) {
    throw new HubError(
      'hub.offline',
      'HF_HUB_OFFLINE says not to ask the hub, so nothing can be pushed; unset it, or export the adapter and push it later.',
    );
  }
  return new HubConnection(settings, { token: await hubToken(), ...patience });
}

/**
 * Pushes what was planned, in one commit.
 *
 * @param signal ends it while nothing is committed yet
 * @throws HubError, among them `hub.cancelled` and `hub.conflict`
 */
export async function push(
  { target, files, message, shown }: PushPlan,
  {
    onProgress = () => undefined,
    signal,
    ...patience
  }: Patience & { readonly onProgress?: OnDownload } = {},
): Promise<PushResult> {
  const connection = await pushConnection({ ...patience, signal });
  const progress = new DownloadProgress(`sending to ${shown.repository}`, shown.bytes, onProgress);
  let isMade = false;
  try {
    const made = await makeTarget(target, shown.isPrivate, connection, () => {
      isMade = true;
    });
    const lasting = await pushConnection(patience);
    const request = { target: made, files, message };
    const commit =
      files.length === 0
        ? // A branch that begins where all of it is.
          made.parent!
        : await commitFiles(request, connection, lasting, (bytes, isNew) =>
            progress.add(bytes, isNew),
          );
    progress.end();
    const { repository, page, bytes } = shown;
    return { repository, page, commit, bytes, files: files.length };
  } catch (error) {
    if (error instanceof LorafaError) {
      throw isMade ? andMade(error, shown.repository) : error;
    }
    if (!signal?.aborted) throw error;
    const rest = isMade ? `; ${shown.repository}, which was made for it, is there without it` : '';
    throw new HubError(
      'hub.cancelled',
      `The push was cancelled, and nothing was committed${rest}.`,
      { cause: error },
    );
  }
}

/** An error that says as well what is left of the push. */
function andMade(error: LorafaError, repository: string): LorafaError {
  const { code, message, location, detail } = error;
  return new LorafaError(
    code,
    `${message} ${repository}, which was made for this push, is there.`,
    { cause: error, ...(location && { location }), ...(detail !== undefined && { detail }) },
  );
}
