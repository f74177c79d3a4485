import { createHash } from 'node:crypto';
import { openRegularFile, readAt } from '../bounded-file.ts';
import { LorafaError, messageOf } from '../errors.ts';

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
