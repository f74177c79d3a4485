import { createHash, type Hash } from 'node:crypto';
import { z } from 'zod';
import type { OnBytes } from './download-file.ts';
import type { HubConnection } from './hub-connection.ts';
import { badAnswer, final, HubError, type HubSubject, refusal } from './hub-error.ts';
import type { Repository } from './repository.ts';
import { type CommittedFile, unchangedPieces } from './upload-file.ts';

/** Where a large file goes. */
export interface LargeUpload {
  readonly repository: Repository;
  /** The branch that it will be committed to. */
  readonly revision: string;
  readonly file: CommittedFile;
  readonly subject: HubSubject;
}

/** The Hub's own way to send a file in parts; others are Git LFS's. */
const TRANSFERS = ['basic', 'multipart'];

/** Parts of the largest file that S3 takes. */
const MAX_PARTS = 10_000;

const actionSchema = z.object({
  href: z.string(),
  header: z.record(z.string(), z.string()).nullish(),
});

const batchSchema = z.object({
  objects: z
    .array(
      z.object({
        actions: z
          .object({ upload: actionSchema.optional(), verify: actionSchema.optional() })
          .nullish(),
        error: z.object({ code: z.int(), message: z.string() }).optional(),
      }),
    )
    .length(1),
});

type Action = z.infer<typeof actionSchema>;

/**
 * Sends a large file to the storage of Git LFS, whole or in parts as the Hub wants it, and has the Hub verify
 * that it is there. What the Hub has already is not sent again. A part that breaks off is sent again; an
 * address that has run out is asked for anew. What is sent is what the digest of the file is of, or nothing is there.
 *
 * Source: https://github.com/git-lfs/git-lfs/blob/main/docs/api/batch.md; for parts, which are the Hub's own,
 * `lfs.py` of huggingface_hub.
 *
 * @throws HubError, LorafaError as {@link unchangedPieces}
 */
export async function uploadLarge(
  upload: LargeUpload,
  connection: HubConnection,
  onBytes: OnBytes,
): Promise<void> {
  await connection.retrying(async () => {
    const actions = await askWhere(upload, connection);
    const { file, subject } = upload;
    if (actions?.upload === undefined) {
      onBytes(file.size, false);
      return;
    }
    const parts = partsOf(actions.upload, upload);
    if (parts === undefined) {
      const whole = { start: 0, end: file.size, before: createHash('sha256') };
      await put(upload, actions.upload.href, whole, connection, onBytes);
    } else await putParts(upload, actions.upload.href, parts, connection, onBytes);
    if (actions.verify !== undefined) {
      await connection.post(actions.verify.href, subject, objectOf(file));
    }
  });
}

async function askWhere(
  { repository, revision, file, subject }: LargeUpload,
  connection: HubConnection,
): Promise<z.infer<typeof batchSchema>['objects'][number]['actions']> {
  const answer = await connection.post(
    `${connection.endpoint}/${repository.name}.git/info/lfs/objects/batch`,
    subject,
    {
      operation: 'upload',
      transfers: TRANSFERS,
      objects: [objectOf(file)],
      hash_algo: 'sha256',
      ref: { name: revision },
    },
    LFS_JSON,
  );
  const { data } = batchSchema.safeParse(answer);
  if (data === undefined) throw badAnswer(subject, `it does not say where ${file.path} is to go`);
  const [{ actions, error } = { actions: null }] = data.objects;
  if (error !== undefined) {
    throw refusal({ status: error.code, headers: new Headers() }, subject, error.message);
  }
  return actions;
}

/** A file as Git LFS names it. */
function objectOf({ digests, size }: CommittedFile): {
  readonly oid: string;
  readonly size: number;
} {
  return { oid: digests.sha256, size };
}

const LFS_JSON = 'application/vnd.git-lfs+json';

/** Where the parts go and how large they are; undefined for a file that is sent whole. */
interface Parts {
  readonly bytes: number;
  readonly addresses: readonly string[];
}

/** The headers of an action say it: `chunk_size`, and a number for each part, from 1. */
function partsOf({ header }: Action, { file, subject }: LargeUpload): Parts | undefined {
  const { chunk_size: size, ...others } = header ?? {};
  if (size === undefined) return undefined;
  const bytes = Number(size);
  const numbered = Object.entries(others)
    .filter(([name]) => /^\d+$/.test(name))
    .toSorted(([a], [b]) => Number(a) - Number(b));
  const count = Math.ceil(file.size / bytes);
  const isUsable = Number.isSafeInteger(bytes) && bytes > 0 && count <= MAX_PARTS;
  if (!isUsable || numbered.length !== count) {
    throw badAnswer(subject, `it does not say where the parts of ${file.path} are to go`);
  }
  return { bytes, addresses: numbered.map(([, address]) => address) };
}

async function putParts(
  upload: LargeUpload,
  completion: string,
  { bytes, addresses }: Parts,
  connection: HubConnection,
  onBytes: OnBytes,
): Promise<void> {
  const { file, subject } = upload;
  let before = createHash('sha256');
  const parts: { readonly partNumber: number; readonly etag: string }[] = [];
  for (const [index, address] of addresses.entries()) {
    const [start, end] = [index * bytes, Math.min(file.size, (index + 1) * bytes)];
    try {
      const { headers, hash } = await connection.retrying(() =>
        put(upload, address, { start, end, before }, connection, onBytes),
      );
      before = hash;
      const etag = headers.get('etag');
      if (etag === null) throw badAnswer(subject, `it does not confirm a part of ${file.path}`);
      parts.push({ partNumber: index + 1, etag });
    } catch (error) {
      // All parts before are thrown away with this try.
      onBytes(-start, false);
      // What was tried often enough is not begun from its start again, unless another address may help.
      throw error instanceof HubError && error.code === 'hub.bad_answer' ? error : final(error);
    }
  }
  await connection.post(completion, subject, { oid: file.digests.sha256, parts }, LFS_JSON);
}

/** Bytes of a file that are sent at once. */
interface Span {
  readonly start: number;
  readonly end: number;
  /** SHA-256 of all that comes before. */
  readonly before: Hash;
}

/** @returns what the storage says, and the SHA-256 of the file up to the end of what was sent */
async function put(
  { file, subject }: LargeUpload,
  address: string,
  { start, end, before }: Span,
  connection: HubConnection,
  onBytes: OnBytes,
): Promise<{ readonly headers: Headers; readonly hash: Hash }> {
  if (!URL.canParse(address)) throw badAnswer(subject, `it sends ${file.path} to no address`);
  let sent = 0;
  let hash = before;
  const pieces = (): AsyncGenerator<Uint8Array> => {
    hash = before.copy();
    return unchangedPieces(file, start, end, hash);
  };
  try {
    const { headers } = await connection.send(
      address,
      subject,
      { method: 'PUT', size: end - start, pieces },
      (bytes) => {
        sent += bytes;
        onBytes(bytes, true);
      },
    );
    return { headers, hash };
  } catch (error) {
    onBytes(-sent, false);
    throw error;
  }
}
