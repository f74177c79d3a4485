import { createHash, type Hash } from 'node:crypto';
import { openRegularFile, readAt } from '../bounded-file.ts';
import { LorafaError, messageOf } from '../errors.ts';
import { HubError } from './hub-error.ts';

/** A file that is to be in a repository. */
export interface UploadFile {
  /** Its name there. */
  readonly path: string;
  /** In bytes. */
  readonly size: number;
  /** What is in it, or the file here that holds it. */
  readonly content: Buffer | { readonly file: string };
}

/** What a file is known by, as the Hub asks for it. */
export interface FileDigests {
  /** SHA-256 of its content, as LFS names it: 64 hexadecimal digits. */
  readonly sha256: string;
  /** The SHA-1 that git gives it: 40 hexadecimal digits. */
  readonly sha1: string;
  /** Its first bytes, by which the Hub sees whether it is a text. */
  readonly sample: Buffer;
}

/** A file that is to be committed, and what it is known by. */
export interface CommittedFile extends UploadFile {
  readonly digests: FileDigests;
}

/** Bytes that are read at once. */
const PIECE_BYTES = 2 ** 18;

/** As many as the Hub looks at. */
const SAMPLE_BYTES = 512;

/**
 * The bytes of a file from one position to another.
 *
 * @throws LorafaError `output.not_found` where it is gone, or shorter than it was
 */
export async function* piecesOf(
  { path, content }: UploadFile,
  start: number,
  end: number,
): AsyncGenerator<Uint8Array> {
  if (Buffer.isBuffer(content)) {
    yield content.subarray(start, end);
    return;
  }
  const fail = (problem: string, cause?: unknown): LorafaError =>
    new LorafaError(
      'output.not_found',
      `${path} cannot be sent: ${content.file} ${problem}; leave it as it is until it is sent, and try again.`,
      { location: { file: content.file }, cause },
    );
  const opened = await openRegularFile(content.file).catch((error: unknown) => {
    throw fail(`cannot be read (${messageOf(error)})`, error);
  });
  try {
    for (let at = start; at < end; at += PIECE_BYTES) {
      const wanted = Buffer.allocUnsafe(Math.min(PIECE_BYTES, end - at));
      const piece = await readAt(opened.handle, wanted, at);
      if (piece.length < wanted.length) throw fail('is shorter than it was');
      yield piece;
    }
  } finally {
    await opened.handle.close();
  }
}

/** Reads a file once for all that it is known by. @throws as {@link piecesOf} */
export async function digestsOf(file: UploadFile): Promise<FileDigests> {
  const sha256 = createHash('sha256');
  const sha1 = createHash('sha1').update(`blob ${file.size}\0`);
  let sample = Buffer.alloc(0);
  for await (const piece of piecesOf(file, 0, file.size)) {
    if (sample.length < SAMPLE_BYTES) {
      sample = Buffer.concat([sample, piece]).subarray(0, SAMPLE_BYTES);
    }
    sha256.update(piece);
    sha1.update(piece);
  }
  return { sha256: sha256.digest('hex'), sha1: sha1.digest('hex'), sample };
}

/**
 * The bytes of a file from one position to another, for sending: its last ones are only given where all of them are
 * those that its digest is of.
 *
 * @param hash SHA-256 of what comes before `start`; afterwards of what comes before `end`
 * @throws HubError `hub.conflict` for a file that is another one by now; as {@link piecesOf}
 */
export async function* unchangedPieces(
  file: CommittedFile,
  start: number,
  end: number,
  hash: Hash,
): AsyncGenerator<Uint8Array> {
  let held: Uint8Array | undefined;
  for await (const piece of piecesOf(file, start, end)) {
    hash.update(piece);
    if (held !== undefined) yield held;
    held = piece;
  }
  if (end === file.size && hash.copy().digest('hex') !== file.digests.sha256) {
    const place = Buffer.isBuffer(file.content) ? file.path : file.content.file;
    throw new HubError('hub.conflict', `${place} was changed since it was shown; push again.`);
  }
  if (held !== undefined) yield held;
}
