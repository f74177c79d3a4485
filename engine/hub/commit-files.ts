import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { OnBytes } from './download-file.ts';
import { type HubConnection, posted } from './hub-connection.ts';
import { badAnswer, HubError } from './hub-error.ts';
import { uploadLarge } from './lfs-upload.ts';
import { apiOf, lookAtTarget, type PushTarget, writtenSubject } from './push-target.ts';
import type { RemoteFile } from './repository.ts';
import { type CommittedFile, unchangedPieces } from './upload-file.ts';

/** A commit that is to be made. */
export interface CommitRequest {
  /** A branch that is there. */
  readonly target: PushTarget;
  readonly files: readonly CommittedFile[];
  /** Its first line. */
  readonly message: string;
}

/** What is told of a commit while it is made. */
export interface CommitEvents {
  readonly onBytes: OnBytes;
  /** All that goes before it is sent, and it is asked for now. */
  readonly onCommit: () => void;
}

const preuploadSchema = z.object({
  files: z.array(
    z.object({
      path: z.string(),
      uploadMode: z.enum(['lfs', 'regular']),
      shouldIgnore: z.boolean().optional(),
    }),
  ),
});

const commitSchema = z.object({ commitOid: z.string().regex(/^[0-9a-f]{40}$/) });

/** Whether a repository holds a file as it is here. */
export function isThere(file: CommittedFile, remote: readonly RemoteFile[]): boolean {
  const { digests, path, size } = file;
  const found = remote.find((each) => each.path === path);
  return (
    found?.size === size &&
    found.digest === (found.digest.length === 64 ? digests.sha256 : digests.sha1)
  );
}

/**
 * Sends files and commits them, all or none. Large ones go to the storage of Git LFS before, others are in
 * the commit itself, as the Hub decides. Nobody else's commit is written over: the branch must be where it was
 * when it was looked at.
 *
 * @param connection which may be aborted until the commit is asked for
 * @param lasting one that is not, unless somebody looks afterwards whether it was made
 * @returns the commit, 40 hexadecimal digits
 * @throws HubError, among them `hub.conflict`, also for a file that is not what its digests say any more;
 * LorafaError as `piecesOf`
 */
export async function commitFiles(
  { target, files, message }: CommitRequest,
  connection: HubConnection,
  lasting: HubConnection,
  { onBytes, onCommit }: CommitEvents,
): Promise<string> {
  const subject = writtenSubject(target, connection);
  const { repository, revision, parent } = target;
  const modes = await uploadModes(target, files, connection);
  const lines: object[] = [
    { key: 'header', value: { summary: message, description: '', parentCommit: parent } },
  ];
  for (const file of files) {
    const { path, size, digests } = file;
    if (modes.get(path) === 'lfs') {
      await uploadLarge({ repository, revision, file, subject }, connection, onBytes);
      lines.push({ key: 'lfsFile', value: { path, algo: 'sha256', oid: digests.sha256, size } });
    } else {
      const content = (await bytesOf(file)).toString('base64');
      onBytes(size, true);
      lines.push({ key: 'file', value: { content, path, encoding: 'base64' } });
    }
  }
  const body = Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  const url = `${apiOf(repository, connection)}/commit/${encodeURIComponent(revision)}`;
  connection.throwIfAborted();
  onCommit();
  return lasting.retrying(async () => {
    try {
      const { text } = await lasting.send(url, subject, posted(body, 'application/x-ndjson'));
      return commitOf(text) ?? (await madeCommit(target, files, lasting));
    } catch (error) {
      // The answer may be lost where the commit was made: it is looked for before another try.
      if (!(error instanceof HubError) || error.retryAfterMs === undefined) throw error;
      const { made } = await headOfBranch(target, files, lasting).catch(() => ({ made: null }));
      if (made !== null) return made;
      throw error;
    }
  });
}

function commitOf(text: string): string | undefined {
  try {
    return commitSchema.safeParse(JSON.parse(text)).data?.commitOid;
  } catch {
    return undefined;
  }
}

/** Where a branch is when something was to be committed to it. */
export interface BranchHead {
  /** Its commit; null where there is no such branch. */
  readonly head: string | null;
  /** That commit, where it is another one than before and holds the files; null: the commit was not made, or not yet. */
  readonly made: string | null;
}

/**
 * Looks whether a commit was made that was asked for.
 *
 * @param target as it was before
 * @throws HubError
 */
export async function headOfBranch(
  { repository, revision, parent }: PushTarget,
  files: readonly CommittedFile[],
  connection: HubConnection,
): Promise<BranchHead> {
  const { parent: head, files: there } = await lookAtTarget(repository, revision, connection);
  const isMade = head !== parent && files.every((file) => isThere(file, there));
  return { head, made: isMade ? head : null };
}

async function madeCommit(
  target: PushTarget,
  files: readonly CommittedFile[],
  connection: HubConnection,
): Promise<string> {
  const { made } = await headOfBranch(target, files, connection);
  if (made !== null) return made;
  throw badAnswer(
    writtenSubject(target, connection),
    'it does not say which commit was made, and has none',
  );
}

/**
 * Asks how each file is to be sent. An empty one never goes to LFS, whose storage takes none.
 *
 * @throws HubError `hub.refused` for a file that the repository's `.gitignore` leaves out
 */
async function uploadModes(
  target: PushTarget,
  files: readonly CommittedFile[],
  connection: HubConnection,
): Promise<ReadonlyMap<string, 'lfs' | 'regular'>> {
  const { repository, revision } = target;
  const subject = writtenSubject(target, connection);
  const url = `${apiOf(repository, connection)}/preupload/${encodeURIComponent(revision)}`;
  const question = {
    files: files.map(({ path, size, digests }) => ({
      ...{ path, size, sample: digests.sample.toString('base64') },
    })),
  };
  const { data } = preuploadSchema.safeParse(
    await connection.retrying(() => connection.post(url, subject, question)),
  );
  const modes = new Map(data?.files.map((each) => [each.path, each]));
  return new Map(
    files.map(({ path, size }) => {
      const mode = modes.get(path);
      if (mode === undefined) throw badAnswer(subject, `it does not say how ${path} is to be sent`);
      if (mode.shouldIgnore) {
        throw new HubError(
          'hub.refused',
          `The file .gitignore of ${subject.title} leaves out ${path}; take that line out of it at ${subject.page}, and push again.`,
        );
      }
      return [path, size === 0 ? 'regular' : mode.uploadMode] as const;
    }),
  );
}

async function bytesOf(file: CommittedFile): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  const hash = createHash('sha256');
  for await (const piece of unchangedPieces(file, 0, file.size, hash)) pieces.push(piece);
  return Buffer.concat(pieces);
}
