import { z } from 'zod';
import type { HubConnection } from './hub-connection.ts';
import { badAnswer, HubError, type HubSubject } from './hub-error.ts';
import { isSafePath } from './hub-name.ts';

/** What a repository holds. */
export type RepositoryKind = 'model' | 'dataset';

/** A repository of the Hub. */
export interface Repository {
  readonly kind: RepositoryKind;
  /** `owner/name`. */
  readonly name: string;
}

/** A repository at one commit. */
export interface RepositoryState {
  /** 40 hexadecimal digits. */
  readonly commit: string;
  /** Which files make which split of a data set, as its card says; null where it does not. */
  readonly configs: unknown;
}

/** A file of a repository, as the Hub describes it. */
export interface RemoteFile {
  /** With `/` between its parts, and nowhere outside of the repository. */
  readonly path: string;
  readonly size: number;
  /** SHA-256 of a large file (64 digits), or git's SHA-1 of a small one (40 digits). */
  readonly digest: string;
}

/** More files than any repository has that can be trained on. */
const MAX_FILES = 100_000;

const COMMIT = /^[0-9a-f]{40}$/;

/** Loaded by those who ask the Hub: most never do. */
export function clientLibrary(): Promise<typeof import('@huggingface/hub')> {
  return import('@huggingface/hub');
}

/** Whether a revision names one commit, for ever. */
export function isCommit(revision: string): boolean {
  return COMMIT.test(revision);
}

/** A repository in sentences. */
export function subjectOf(
  { kind, name }: Repository,
  revision: string,
  connection: Pick<HubConnection, 'endpoint' | 'hasToken'>,
): HubSubject {
  return {
    title: `the ${kind === 'model' ? 'model' : 'data set'} ${name}`,
    page: `${connection.endpoint}/${kind === 'model' ? '' : 'datasets/'}${name}`,
    revision,
    hasToken: connection.hasToken,
  };
}

/**
 * Asks which commit a revision is.
 *
 * @throws HubError for everything that may be wrong with the name, the token or the network
 */
export async function resolveRevision(
  repository: Repository,
  revision: string,
  connection: HubConnection,
): Promise<RepositoryState> {
  const subject = subjectOf(repository, revision, connection);
  const question = {
    name: repository.name,
    revision,
    hubUrl: connection.endpoint,
    fetch: connection.fetchFor(subject),
  };
  const { datasetInfo, modelInfo } = await clientLibrary();
  const answer = await (repository.kind === 'model'
    ? modelInfo({ ...question, additionalFields: ['sha'] })
    : datasetInfo({ ...question, additionalFields: ['sha', 'cardData'] })
  ).catch((error: unknown) => {
    // The library reads what is no object, such as `null`, as if it were one.
    if (error instanceof TypeError) return undefined;
    throw error;
  });
  const parsed = stateSchema.safeParse(answer);
  if (!parsed.success) throw badAnswer(subject, 'it does not say which commit that is');
  return { commit: parsed.data.sha, configs: parsed.data.cardData?.configs ?? null };
}

const stateSchema = z.object({
  sha: z.string().regex(COMMIT),
  cardData: z.looseObject({ configs: z.unknown() }).partial().nullish().catch(null),
});

const entrySchema = z.object({
  type: z.string(),
  path: z.string(),
  size: z.int().nonnegative().catch(0),
  oid: z.string().optional(),
  lfs: z.object({ oid: z.string(), size: z.int().nonnegative() }).optional(),
});

/**
 * Asks for the files of a commit. A file whose name would lead elsewhere, or which has no digest by
 * which it could be checked, is left out.
 *
 * @throws HubError as {@link resolveRevision}
 */
export async function listRepository(
  repository: Repository,
  commit: string,
  connection: HubConnection,
): Promise<readonly RemoteFile[]> {
  const subject = subjectOf(repository, commit, connection);
  const files: RemoteFile[] = [];
  const { listFiles } = await clientLibrary();
  try {
    const entries = listFiles({
      repo: { type: repository.kind, name: repository.name },
      revision: commit,
      recursive: true,
      hubUrl: connection.endpoint,
      fetch: connection.fetchFor(subject),
    });
    for await (const entry of entries) {
      const file = remoteFile(entry);
      if (file !== undefined) files.push(file);
      if (files.length > MAX_FILES) throw badAnswer(subject, 'it names too many files');
    }
  } catch (error) {
    if (error instanceof HubError) throw error;
    connection.throwIfAborted();
    throw badAnswer(subject, 'its list of files is none');
  }
  return files;
}

function remoteFile(entry: unknown): RemoteFile | undefined {
  const { data } = entrySchema.safeParse(entry);
  if (data === undefined || data.type !== 'file' || !isSafePath(data.path)) return undefined;
  const { path, lfs } = data;
  const digest = lfs?.oid ?? data.oid ?? '';
  const isDigest = lfs === undefined ? COMMIT.test(digest) : /^[0-9a-f]{64}$/.test(digest);
  return isDigest ? { path, size: lfs?.size ?? data.size, digest } : undefined;
}

/** Where a file of a commit is had. */
export function fileUrl(
  { kind, name }: Repository,
  commit: string,
  file: string,
  endpoint: string,
): string {
  const place = file.split('/').map(encodeURIComponent).join('/');
  return `${endpoint}/${kind === 'model' ? '' : 'datasets/'}${name}/resolve/${commit}/${place}`;
}
