import { createHash, type Hash } from 'node:crypto';
import { PartialFile } from '../files/append.ts';
import { removeFolder } from '../files/remove.ts';
import type { HubConnection } from './hub-connection.ts';
import { badAnswer, HubError, type HubSubject } from './hub-error.ts';
import type { RemoteFile } from './repository.ts';

/** A file that is to be in the cache. */
export interface Download {
  readonly file: RemoteFile;
  readonly url: string;
  readonly subject: HubSubject;
  /** Path of the blob, whose folder exists. */
  readonly blob: string;
}

/** Told of bytes that came, that were there before, or (fewer than none) that were thrown away. */
export type OnBytes = (bytes: number, isNew: boolean) => void;

/**
 * The name of what is there of a file until it is complete. It is not that of Python's
 * huggingface_hub, which may be downloading the same file now and holds locks that Node cannot see.
 */
export function partialName(blob: string): string {
  return `${blob}.lorafa.incomplete`;
}

/**
 * Downloads a file, going on where an earlier attempt of any process ended. It gets its name when its
 * size and its digest are those that the Hub gave before.
 *
 * @throws HubError, among them `hub.wrong_hash`; LorafaError `output.not_writable`
 */
export async function downloadFile(
  download: Download,
  connection: HubConnection,
  onBytes: OnBytes,
): Promise<void> {
  const partial = await PartialFile.open(partialName(download.blob));
  try {
    const isResumed = partial.size > 0;
    onBytes(partial.size, false);
    if (!(await complete(partial, download, connection, onBytes))) {
      // What an earlier attempt left may be what was wrong.
      if (!isResumed || !(await complete(partial, download, connection, onBytes))) {
        throw wrongHash(download);
      }
    }
    await partial.commit(download.blob);
  } catch (error) {
    if (error instanceof HubError && error.code === 'hub.wrong_hash') {
      await removeFolder(partial.path).catch(() => undefined);
    }
    throw error;
  } finally {
    await partial.close();
  }
}

/** Fetches what is missing; whether the whole is what it should be. If not, nothing of it stays. */
async function complete(
  partial: PartialFile,
  download: Download,
  connection: HubConnection,
  onBytes: OnBytes,
): Promise<boolean> {
  const { file } = download;
  const clear = async (): Promise<Hash> => {
    onBytes(-partial.size, false);
    await partial.clear();
    return newHash(file);
  };
  let hash = newHash(file);
  if (partial.size > file.size) hash = await clear();
  for await (const piece of partial.content()) hash.update(piece);
  let before = -1;
  const fetchRest = async (): Promise<void> => {
    before = partial.size;
    if (partial.size === file.size) return;
    const { response, body } = await request(download, connection, partial.size);
    // Not every server knows ranges.
    if (response.status === 200 && partial.size > 0) hash = await clear();
    for await (const piece of body) {
      if (partial.size + piece.byteLength > file.size) {
        hash = await clear();
        throw badAnswer(download.subject, `${file.path} is larger than it said`);
      }
      await partial.append(piece);
      hash.update(piece);
      onBytes(piece.byteLength, true);
    }
    if (partial.size < file.size) {
      throw badAnswer(
        download.subject,
        `${file.path} is cut off at ${partial.size} bytes of ${file.size}`,
      );
    }
  };
  await connection.retrying(fetchRest, () => partial.size - before >= PROGRESS_BYTES);
  if (hash.digest('hex') === file.digest) return true;
  await clear();
  return false;
}

/** A try that got so far is no failure: long downloads may break off any number of times. */
const PROGRESS_BYTES = 2 ** 20;

async function request(
  { file, url, subject }: Download,
  connection: HubConnection,
  start: number,
): ReturnType<HubConnection['get']> {
  const answer = await connection.get(url, subject, start > 0 ? { range: `bytes=${start}-` } : {});
  const { status, headers } = answer.response;
  if (status === 200) return answer;
  const range = headers.get('content-range');
  if (status === 206 && start > 0 && range === `bytes ${start}-${file.size - 1}/${file.size}`) {
    return answer;
  }
  await answer.discard();
  throw badAnswer(subject, `${file.path} comes as another part than was asked for`);
}

/** Large files have the SHA-256 of their content; small ones the SHA-1 that git gives them. */
function newHash({ digest, size }: RemoteFile): Hash {
  return digest.length === 64 ? createHash('sha256') : createHash('sha1').update(`blob ${size}\0`);
}

function wrongHash({ file, subject }: Download): HubError {
  return new HubError(
    'hub.wrong_hash',
    `${file.path} of ${subject.title} is not what the hub says it is: its digest is another one; it was thrown away, so try again, without a proxy or a mirror in between.`,
  );
}
