import { createHash } from 'node:crypto';
import { readBoundedFile } from '../../engine/bounded-file.ts';
import { LorafaError } from '../../engine/errors.ts';
import { isThere } from '../../engine/hub/commit-files.ts';
import { fetchRange } from '../../engine/hub/fetch-range.ts';
import type { HubConnection } from '../../engine/hub/hub-connection.ts';
import { HubError, SIGN_IN, TOKENS } from '../../engine/hub/hub-error.ts';
import { lookAtTarget, MAIN, type PushTarget } from '../../engine/hub/push-target.ts';
import { fileUrl, subjectOf } from '../../engine/hub/repository.ts';
import { type CommittedFile, digestsOf } from '../../engine/hub/upload-file.ts';
import { accountOf } from '../../engine/hub/who-am-i.ts';
import { CARD_FILE, CURVE_FILE } from '../../engine/lora/adapter.ts';
import { isUnchangedCard } from './model-card.ts';
import { publicationOf } from './publication.ts';
import { branchProblem, repositoryProblem } from './push-names.ts';

/** What is to be pushed, and where to. */
export interface PushRequest {
  /** Folder of an adapter or of a checkpoint. */
  readonly folder: string;
  /** `owner/name`, or a name below the user's own. */
  readonly repository: string;
  /** A branch; `main` unless given. */
  readonly revision?: string | undefined;
  /** Who may read a repository that is made; private unless given. */
  readonly isPrivate?: boolean | undefined;
  /** First line of the commit. */
  readonly message?: string | undefined;
  /** Whether a card in the repository that somebody wrote or changed is replaced. */
  readonly replaceCard?: boolean | undefined;
}

/** What becomes of a file in the repository. */
export type FileChange = 'new' | 'replaced' | 'same' | 'kept';

/** What a push would do; nothing is done. */
export interface PushPlan {
  readonly target: PushTarget;
  /** Those that are sent. */
  readonly files: readonly CommittedFile[];
  readonly message: string;
  readonly shown: ShownPush;
}

/** A push as people and programs are shown it. */
export interface ShownPush {
  /** `owner/name`. */
  readonly repository: string;
  /** Its page. */
  readonly page: string;
  readonly account: string;
  readonly revision: string;
  readonly isPrivate: boolean;
  /** Whether the repository is made, and the branch in one that is there. */
  readonly isNew: boolean;
  readonly isNewRevision: boolean;
  readonly message: string;
  readonly files: readonly {
    readonly path: string;
    /** In bytes. */
    readonly size: number;
    readonly change: FileChange;
  }[];
  /** Bytes of those that are sent. */
  readonly bytes: number;
  /** Sentences: what is to be known before it is sent. */
  readonly notes: readonly string[];
  /** The card as it would be sent, with its picture; null where none is. */
  readonly card: ShownCard | null;
  /** By which a push is known to be the one that was shown. */
  readonly digest: string;
}

/** A model card that can be read before it is published. */
export interface ShownCard {
  /** Markdown. */
  readonly text: string;
  /** SVG, which the text names by `loss-curve.svg`; null where it has none. */
  readonly curve: string | null;
}

/** More of a commit's first line is cut off by all who show it. */
const LONGEST_MESSAGE = 200;

/**
 * Finds out what a push would do: who pushes, what is there, and what is sent. Nothing is changed anywhere.
 *
 * @throws HubError, `hub.unauthorized` without a token and `hub.forbidden` with one that only reads among them;
 * LorafaError `usage.invalid`, and as `publicationOf`
 */
export async function planPush(
  {
    folder,
    repository: given,
    revision = MAIN,
    isPrivate,
    message,
    replaceCard = false,
  }: PushRequest,
  connection: HubConnection,
): Promise<PushPlan> {
  requireNames(given, revision);
  const account = await writer(connection);
  const name = given.includes('/') ? given : `${account}/${given}`;
  const publication = await publicationOf(folder, name);
  const target = await lookAtTarget({ kind: 'model', name }, revision, connection);
  if (target.isPrivate !== null && isPrivate !== undefined && target.isPrivate !== isPrivate) {
    throw new LorafaError(
      'usage.invalid',
      `${name} is there already and is ${visibility(target.isPrivate)}, which a push does not change; change it in its settings on the hub, or leave --${visibility(isPrivate)} out.`,
    );
  }
  const notes = [...publication.notes];
  const all = await Promise.all(
    publication.files.map(async (file) => ({ ...file, digests: await digestsOf(file) })),
  );
  const changes = new Map<CommittedFile, FileChange>();
  for (const file of all) changes.set(file, changeOf(file, target));
  const card = all.find((file) => file.path === CARD_FILE);
  if (card !== undefined && changes.get(card) === 'replaced') {
    if (await isTheirs(target, connection)) {
      if (!replaceCard) changes.set(card, 'kept');
      notes.push(
        replaceCard
          ? `${CARD_FILE} of ${name}, which somebody wrote or changed, is replaced.`
          : `${CARD_FILE} of ${name}, which somebody wrote or changed, is left as it is.`,
      );
    }
  }
  const files = all.filter((file) => ['new', 'replaced'].includes(changes.get(file)!));
  const summary = (
    message ?? `Upload ${all.length === files.length ? 'adapter' : 'changes'}`
  ).trim();
  if (summary === '' || summary.length > LONGEST_MESSAGE || summary.includes('\n')) {
    throw new LorafaError(
      'usage.invalid',
      `The message of a commit is one line of at most ${LONGEST_MESSAGE} characters; shorten --message.`,
    );
  }
  const shown = {
    repository: target.repository.name,
    page: `${connection.endpoint}/${target.repository.name}`,
    account,
    revision,
    isPrivate: target.isPrivate ?? isPrivate ?? true,
    isNew: target.isPrivate === null,
    isNewRevision: target.isPrivate !== null && target.parent === null,
    message: summary,
    files: all.map((file) => ({ path: file.path, size: file.size, change: changes.get(file)! })),
    bytes: files.reduce((sum, { size }) => sum + size, 0),
    notes,
    card: await shownCard(files, all),
  };
  const identity = JSON.stringify([shown, target.parent, all.map(({ digests }) => digests.sha256)]);
  const digest = createHash('sha256').update(identity).digest('hex').slice(0, 32);
  return { target, files, message: summary, shown: { ...shown, digest } };
}

/** The account that pushes. */
async function writer(connection: HubConnection): Promise<string> {
  if (!connection.hasToken) {
    throw new HubError(
      'hub.unauthorized',
      `Pushing to the hub needs an access token that may write: make one at ${TOKENS} and ${SIGN_IN}.`,
    );
  }
  const { name, isReadOnly } = await accountOf(connection);
  if (!isReadOnly) return name;
  throw new HubError(
    'hub.forbidden',
    `Your access token may only read; make one that may write at ${TOKENS} and ${SIGN_IN}.`,
  );
}

/** @throws LorafaError `usage.invalid`, before anybody is asked for anything */
function requireNames(repository: string, revision: string): void {
  const problem = repositoryProblem(repository) ?? branchProblem(revision);
  if (problem !== undefined) throw new LorafaError('usage.invalid', problem);
}

async function shownCard(
  sent: readonly CommittedFile[],
  all: readonly CommittedFile[],
): Promise<ShownCard | null> {
  const card = sent.find(({ path }) => path === CARD_FILE);
  if (card === undefined || card.size > MAX_CARD_BYTES) return null;
  const curve = all.find(({ path }) => path === CURVE_FILE);
  return {
    text: await textOf(card),
    curve: curve === undefined || curve.size > MAX_CARD_BYTES ? null : await textOf(curve),
  };
}

async function textOf({ content }: CommittedFile): Promise<string> {
  return String(
    Buffer.isBuffer(content) ? content : await readBoundedFile(content.file, MAX_CARD_BYTES),
  );
}

function visibility(isPrivate: boolean): 'private' | 'public' {
  return isPrivate ? 'private' : 'public';
}

function changeOf(file: CommittedFile, { files }: PushTarget): FileChange {
  if (isThere(file, files)) return 'same';
  return files.some(({ path }) => path === file.path) ? 'replaced' : 'new';
}

/** A card is looked at up to this size; a larger one is none of ours. */
const MAX_CARD_BYTES = 2 ** 18;

/** Whether the card in a repository is one that somebody wrote or changed. */
async function isTheirs(
  { repository, revision, parent, files }: PushTarget,
  connection: HubConnection,
): Promise<boolean> {
  const file = files.find(({ path }) => path === CARD_FILE)!;
  if (file.size > MAX_CARD_BYTES) return true;
  const subject = subjectOf(repository, revision, connection);
  const url = fileUrl(repository, parent ?? MAIN, CARD_FILE, connection.endpoint);
  const bytes = await fetchRange({ file, url, subject }, connection, 0, file.size);
  return !isUnchangedCard(bytes.toString('utf8'));
}
