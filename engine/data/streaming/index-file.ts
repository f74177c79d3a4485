import { createHash } from 'node:crypto';
import { openRegularFile, readAt } from '../../bounded-file.ts';
import { parseJson } from '../../json.ts';
import type { LineIndex } from './line-index.ts';

/** The data file that an index is of, as it was when the index was made. */
export interface IndexedFile {
  /** An absolute path. */
  readonly file: string;
  /** Bytes. */
  readonly size: number;
  readonly mtimeMs: number;
}

const DIGEST_BYTES = 32;
const LENGTH_BYTES = 4;
/** A path is not as long as that. */
const MAX_NAME_BYTES = 2 ** 16;

/**
 * A digest of all that follows; the data file as JSON, after its length; the index's own digest, size and
 * rows, and its three columns.
 */
export function formatIndex(indexed: IndexedFile, index: LineIndex): Buffer {
  const name = Buffer.from(JSON.stringify([indexed.file, indexed.size, indexed.mtimeMs]));
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32LE(name.length);
  const { offsets, lines, starts, rows, size, digest } = index;
  const numbers = Float64Array.from([
    size,
    rows,
    ...[offsets, lines, starts].flatMap((column) => [...column]),
  ]);
  const content = Buffer.concat([
    length,
    name,
    Buffer.from(digest, 'hex'),
    Buffer.from(numbers.buffer),
  ]);
  return Buffer.concat([digestOf(content), content]);
}

/** Undefined for what is not an index that was written whole. */
export function parseIndex(bytes: Buffer): LineIndex | undefined {
  const content = bytes.subarray(DIGEST_BYTES);
  if (!digestOf(content).equals(bytes.subarray(0, DIGEST_BYTES))) return undefined;
  const own = content.subarray(LENGTH_BYTES + content.readUInt32LE());
  const numbers = own.subarray(DIGEST_BYTES);
  const [size, rows, ...rest] = new Float64Array(Uint8Array.from(numbers).buffer);
  const count = rest.length / 3;
  if (size === undefined || rows === undefined || !Number.isInteger(count)) return undefined;
  const [offsets, lines, starts] = [0, 1, 2].map((column) =>
    Float64Array.from(rest.slice(column * count, (column + 1) * count)),
  );
  return {
    offsets: offsets!,
    lines: lines!,
    starts: starts!,
    rows,
    size,
    digest: own.subarray(0, DIGEST_BYTES).toString('hex'),
  };
}

/** The data file that an index says it is of; undefined where it says nothing that can be understood. */
export async function readIndexed(index: string): Promise<IndexedFile | undefined> {
  try {
    const { handle } = await openRegularFile(index, 'refuse');
    try {
      const head = await readAt(handle, Buffer.alloc(LENGTH_BYTES), DIGEST_BYTES);
      const length = Math.min(head.readUInt32LE(), MAX_NAME_BYTES);
      const name = await readAt(handle, Buffer.alloc(length), DIGEST_BYTES + LENGTH_BYTES);
      const [file, size, mtimeMs] = parseJson(name.toString()) as unknown[];
      const isWhole =
        typeof file === 'string' && typeof size === 'number' && typeof mtimeMs === 'number';
      return isWhole ? { file, size, mtimeMs } : undefined;
    } finally {
      await handle.close();
    }
  } catch {
    return undefined;
  }
}

function digestOf(content: Buffer): Buffer {
  return createHash('sha256').update(content).digest();
}
