import { z } from 'zod';
import type { HubConnection } from './hub-connection.ts';
import { badAnswer, HubError, type HubSubject } from './hub-error.ts';
import { parseHubName } from './hub-name.ts';
import {
  clientLibrary,
  listRepository,
  type RemoteFile,
  type Repository,
  subjectOf,
} from './repository.ts';

/** A branch of a model's repository that something is to be committed to, as it is now. */
export interface PushTarget {
  readonly repository: Repository;
  readonly revision: string;
  /** Null for a repository that is to be made. */
  readonly isPrivate: boolean | null;
  /** The commit that the branch is at; null for a branch that is to be made. */
  readonly parent: string | null;
  /** What is in the branch, or in the one that it will begin at. */
  readonly files: readonly RemoteFile[];
}

/** The branch that every repository has. */
export const MAIN = 'main';

/** A repository that is written to, in sentences. */
export function writtenSubject(
  { repository, revision }: Pick<PushTarget, 'repository' | 'revision'>,
  connection: HubConnection,
): HubSubject {
  return { ...subjectOf(repository, revision, connection), isWritten: true };
}

/**
 * Looks at what something is to be committed to. Nothing is changed.
 *
 * @throws HubError, but not where there is no such repository or branch
 */
export async function lookAtTarget(
  repository: Repository,
  revision: string,
  connection: HubConnection,
): Promise<PushTarget> {
  const main = await headOf(repository, MAIN, connection);
  if (main === undefined) {
    return { repository, revision, isPrivate: null, parent: null, files: [] };
  }
  const { isPrivate, name } = main;
  // A repository that was renamed is asked for by its new name from here on.
  const named = { ...repository, name };
  const head = revision === MAIN ? main : await headOf(named, revision, connection);
  const files = await listRepository(named, (head ?? main).commit, connection);
  return { repository: named, revision, isPrivate, parent: head?.commit ?? null, files };
}

const headSchema = z.object({
  name: z.string().refine((name) => parseHubName(name)?.repository === name),
  private: z.boolean(),
  sha: z.string().regex(/^[0-9a-f]{40}$/),
});

interface Head {
  readonly name: string;
  readonly commit: string;
  readonly isPrivate: boolean;
}

async function headOf(
  { name }: Repository,
  revision: string,
  connection: HubConnection,
): Promise<Head | undefined> {
  const subject = subjectOf({ kind: 'model', name }, revision, connection);
  const { modelInfo } = await clientLibrary();
  try {
    const { data } = headSchema.safeParse(
      await modelInfo({
        ...{ name, revision, hubUrl: connection.endpoint },
        fetch: connection.fetchFor(subject),
        additionalFields: ['sha'],
      }),
    );
    if (data === undefined) throw badAnswer(subject, 'it does not say which commit that is');
    return { name: data.name, commit: data.sha, isPrivate: data.private };
  } catch (error) {
    if (error instanceof HubError && error.code === 'hub.not_found') return undefined;
    // The library reads what is no object, such as `null`, as if it were one.
    if (error instanceof TypeError) throw badAnswer(subject, 'it says nothing of it');
    throw error;
  }
}

/**
 * Makes a repository, or a branch of one that begins where `main` is, where it is not there yet.
 *
 * @param isPrivate who may read a repository that is made
 * @param onMade told of a repository that was made, whatever becomes of the rest
 * @returns what is there now
 * @throws HubError, among them `hub.conflict` for a repository that is there but cannot be seen, or that somebody
 * else has made meanwhile
 */
export async function makeTarget(
  target: PushTarget,
  isPrivate: boolean,
  connection: HubConnection,
  onMade: () => void,
): Promise<PushTarget> {
  const { repository, revision } = target;
  const subject = writtenSubject(target, connection);
  let made = target;
  if (target.isPrivate === null) {
    await createRepository(repository, isPrivate, subject, connection);
    onMade();
    made = await lookAtTarget(repository, revision, connection);
    if (made.isPrivate !== isPrivate) {
      throw badAnswer(
        subject,
        `it was to make it ${isPrivate ? 'private' : 'public'}, and did not; nothing was sent`,
      );
    }
  }
  if (made.parent !== null) return made;
  const branch = encodeURIComponent(revision);
  await connection.retrying(() =>
    connection.post(`${apiOf(made.repository, connection)}/branch/${branch}`, subject, {}),
  );
  return lookAtTarget(made.repository, revision, connection);
}

async function createRepository(
  repository: Repository,
  isPrivate: boolean,
  subject: HubSubject,
  connection: HubConnection,
): Promise<void> {
  const { name } = repository;
  const [organization, own] = name.split('/');
  const visibility = isPrivate ? 'private' : 'public';
  let isLost = false;
  await connection.retrying(async () => {
    try {
      await connection.post(`${connection.endpoint}/api/repos/create`, subject, {
        ...{ type: 'model', name: own, organization, visibility },
      });
    } catch (error) {
      if (!(error instanceof HubError) || error.code !== 'hub.conflict') {
        isLost = true;
        throw error;
      }
      // The Hub makes one repository at a time for each account.
      if (/conflicting operation/i.test(error.message)) {
        throw new HubError('hub.conflict', error.message, { retryAfterMs: 1000, cause: error });
      }
      // An answer that was lost: it is there because of the try before.
      if (isLost) return;
      // Nothing of it was seen when it was shown what becomes of it.
      if ((await headOf(repository, MAIN, connection)) !== undefined) {
        throw new HubError(
          'hub.conflict',
          `The repository ${name} was made by somebody else meanwhile, and nothing was sent; look at ${subject.page} and push again.`,
          { cause: error },
        );
      }
      throw new HubError(
        'hub.conflict',
        `The repository ${name} is there already, and your access token does not let you see it; choose another name, or use a token that does.`,
        { cause: error },
      );
    }
  });
}

/** Where the Hub is asked about a repository. */
export function apiOf({ name }: Repository, { endpoint }: HubConnection): string {
  return `${endpoint}/api/models/${name}`;
}
