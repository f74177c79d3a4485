import { messageOf } from '../errors.ts';
import type { FileHead } from '../formats/file-head.ts';
import { safetensorsHeadBytes } from '../formats/safetensors.ts';
import { checkGgufHeader } from '../gguf/gguf-header.ts';
import type { Download } from './download-file.ts';
import type { HubConnection } from './hub-connection.ts';
import { badAnswer, HubError } from './hub-error.ts';

/** A file of which only a part is wanted. */
export type RemotePart = Omit<Download, 'blob'>;

/** What is asked for before it is known how long a header is: those of most files are shorter. */
const FIRST_BYTES = 2 ** 16;

/** The headers of models of a hundred billion parameters have a quarter of that. */
const MAX_HEAD_BYTES = 2 ** 23;

/** What is asked for first of a GGUF file, and the most: four times what the largest vocabulary takes. */
const FIRST_GGUF_BYTES = 2 ** 20;
const MAX_GGUF_HEAD_BYTES = 2 ** 26;

/** What is read and thrown away at most where a server sends all of a file instead of a part. */
const MAX_SKIPPED_BYTES = 2 ** 26;

/**
 * Fetches the bytes of a file from one position to another, or to its end where that comes before.
 * A part has no digest: whoever reads it believes nothing in it.
 *
 * @throws HubError
 */
export async function fetchRange(
  { file, url, subject }: RemotePart,
  connection: HubConnection,
  start: number,
  end: number,
): Promise<Buffer<ArrayBuffer>> {
  const length = Math.min(end, file.size) - start;
  if (length <= 0) return Buffer.alloc(0);
  return connection.retrying(async () => {
    const range = `bytes=${start}-${start + length - 1}`;
    const { response, body, discard } = await connection.get(url, subject, { range });
    // Not every server knows ranges: then all of the file comes, from its beginning.
    const skipped = response.status === 206 ? 0 : start;
    if (skipped > MAX_SKIPPED_BYTES) {
      await discard();
      throw badAnswer(subject, `parts of ${file.path} are not to be had`);
    }
    const pieces: Uint8Array[] = [];
    let size = 0;
    // Leaving the loop ends the connection.
    for await (const piece of body) {
      pieces.push(piece);
      size += piece.byteLength;
      if (size >= skipped + length) break;
    }
    const said = response.headers.get('content-range') ?? '';
    const isPart = response.status !== 206 || said.startsWith(`bytes ${start}-`);
    if (!isPart || size < skipped + length) {
      throw badAnswer(subject, `${file.path} comes as another part than was asked for`);
    }
    return Buffer.concat(pieces).subarray(skipped, skipped + length);
  });
}

/**
 * Fetches the header of a file of weights, safetensors or GGUF: names, types and shapes of its tensors, and
 * of a GGUF file its configuration and vocabulary.
 *
 * @throws HubError
 */
export function fetchHead(part: RemotePart, connection: HubConnection): Promise<FileHead> {
  return isGguf(part.file.path)
    ? fetchGgufHead(part, connection)
    : fetchSafetensorsHead(part, connection);
}

/** Whether a file has its header in front, so that it can be fetched alone. */
export function hasHead(file: string): boolean {
  return file.endsWith('.safetensors') || isGguf(file);
}

function isGguf(file: string): boolean {
  return file.toLowerCase().endsWith('.gguf');
}

async function fetchSafetensorsHead(
  part: RemotePart,
  connection: HubConnection,
): Promise<FileHead> {
  const { file, subject } = part;
  const first = await fetchRange(part, connection, 0, FIRST_BYTES);
  const length = safetensorsHeadBytes(first) ?? Number.POSITIVE_INFINITY;
  if (length > MAX_HEAD_BYTES) throw badAnswer(subject, `${file.path} is no safetensors file`);
  const rest = await fetchRange(part, connection, first.length, length);
  return { bytes: Buffer.concat([first, rest]).subarray(0, length), size: file.size };
}

/** How long it is follows from all that is in it: it is walked through while it comes. */
async function fetchGgufHead(part: RemotePart, connection: HubConnection): Promise<FileHead> {
  const { file, subject } = part;
  let bytes = Buffer.alloc(0);
  const read = async (start: number, length: number): Promise<Buffer<ArrayBuffer>> => {
    const end = Math.min(file.size, start + length);
    if (end > MAX_GGUF_HEAD_BYTES)
      throw new Error(`it is longer than ${MAX_GGUF_HEAD_BYTES / 2 ** 20} MiB`);
    if (end > bytes.length) {
      // Vocabularies take megabytes: more each time.
      const more = Math.max(end, 2 * bytes.length, FIRST_GGUF_BYTES);
      const next = await fetchRange(part, connection, bytes.length, more);
      bytes = Buffer.concat([bytes, next]);
    }
    return bytes.subarray(start, end);
  };
  try {
    const length = await checkGgufHeader({ size: file.size, read });
    return { bytes: bytes.subarray(0, length), size: file.size };
  } catch (error) {
    if (error instanceof HubError) throw error;
    throw badAnswer(subject, `${file.path} has no readable GGUF header (${messageOf(error)})`);
  }
}
