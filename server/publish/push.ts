import { LorafaError } from '../../engine/errors.ts';
import { commitFiles, headOfBranch } from '../../engine/hub/commit-files.ts';
import type { Patience } from '../../engine/hub/connect.ts';
import { DownloadProgress, type OnDownload } from '../../engine/hub/download-progress.ts';
import { HubConnection } from '../../engine/hub/hub-connection.ts';
import { HubError } from '../../engine/hub/hub-error.ts';
import { hubSettings } from '../../engine/hub/hub-settings.ts';
import { hubToken } from '../../engine/hub/hub-token.ts';
import { makeTarget, type PushTarget } from '../../engine/hub/push-target.ts';
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

/** Milliseconds that the answer to a commit is waited for when the push is cancelled meanwhile. */
const GRACE_MS = 5000;

/** How patient one is who only looks how a cancelled push has ended. */
const SHORT = { silenceMs: 10_000, tries: 2 };

/** How a push goes. */
export interface PushOptions extends Patience {
  readonly onProgress?: OnDownload;
  /** Called when all is sent and the commit is asked for, which cannot be taken back. */
  readonly onCommit?: () => void;
  /** See {@link GRACE_MS}. */
  readonly graceMs?: number;
}

/**
 * Pushes what was planned, in one commit. Cancelled before the commit is asked for, there is none. Cancelled later, its
 * answer is waited for, and if that does not come, the branch is looked at: a commit that was made is the result.
 *
 * @throws HubError, among them `hub.cancelled` and `hub.conflict`
 */
export async function push(
  plan: PushPlan,
  {
    onProgress = () => undefined,
    onCommit = () => undefined,
    graceMs = GRACE_MS,
    signal,
    ...patience
  }: PushOptions = {},
): Promise<PushResult> {
  const { target, files, message, shown } = plan;
  const connection = await pushConnection({ ...patience, signal });
  const progress = new DownloadProgress('sending', shown.bytes, onProgress);
  const resultOf = (commit: string): PushResult => {
    progress.end();
    const { repository, page, bytes } = shown;
    return { repository, page, commit, bytes, files: files.length };
  };
  let isMade = false;
  /** What is committed to, from when the commit is asked for. */
  let committed: PushTarget | undefined;
  const late = new AbortController();
  const onAbort = (): void => {
    if (committed !== undefined) setTimeout(() => late.abort(), graceMs).unref();
  };
  signal?.addEventListener('abort', onAbort);
  try {
    const made = await makeTarget(target, shown.isPrivate, connection, () => {
      isMade = true;
    });
    // A branch that begins where all of it is.
    if (files.length === 0) return resultOf(made.parent!);
    const lasting = await pushConnection({ ...patience, signal: late.signal });
    return resultOf(
      await commitFiles({ target: made, files, message }, connection, lasting, {
        onBytes: (bytes, isNew) => progress.add(bytes, isNew),
        onCommit: () => {
          committed = made;
          onCommit();
        },
      }),
    );
  } catch (error) {
    if (committed !== undefined && late.signal.aborted) {
      return resultOf(await commitAfterAll(plan, committed, patience));
    }
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
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}

/**
 * The commit whose answer nobody waited for, by where its branch is.
 *
 * @throws HubError `hub.cancelled`, which says what is known of it
 */
async function commitAfterAll(
  { files, shown }: PushPlan,
  target: PushTarget,
  patience: Patience,
): Promise<string> {
  const { repository, page } = shown;
  const connection = await pushConnection({ ...SHORT, ...patience });
  const found = await headOfBranch(target, files, connection).catch(() => undefined);
  if (found !== undefined && found.made !== null) return found.made;
  const state =
    found === undefined
      ? 'the hub does not say whether it was made'
      : found.head === target.parent
        ? `the branch ${target.revision} of ${repository} is where it was (${nameOf(found.head)}), so that it was not made by now`
        : `the branch ${target.revision} of ${repository} is at another commit (${nameOf(found.head)}), which does not hold what was sent`;
  throw new HubError(
    'hub.cancelled',
    `The push was cancelled while its commit was asked for, and ${state}; look at ${page}/commits/${target.revision} before you push again.`,
  );
}

/** A commit as people name it. */
function nameOf(commit: string | null): string {
  return commit?.slice(0, 8) ?? 'no commit';
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
