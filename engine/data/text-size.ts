import { openRegularFile, readAt } from '../bounded-file.ts';
import { compressionOf } from './compression.ts';
import { cannotRead } from './file-problem.ts';

/** How much smaller gzip and Zstandard usually make text. */
const USUAL_RATIO = 4;

/** Bytes of a Zstandard frame that hold its head (RFC 8878, 3.1.1.1), and of the end of a gzip file. */
const HEAD_BYTES = 18;
const GZIP_SIZE_BYTES = 4;

/**
 * Bytes of a data file when it is unpacked: those that it says itself, which a file of several parts or of
 * more than 4 GiB does not, or else so many as is usual. Of what is not compressed, its size.
 *
 * @throws LorafaError `data.not_found` when the file cannot be read
 */
export async function textSize(file: string): Promise<number> {
  const compression = compressionOf(file);
  try {
    const { handle, size } = await openRegularFile(file);
    try {
      if (compression === undefined) return size;
      const at = compression === 'gz' ? Math.max(0, size - GZIP_SIZE_BYTES) : 0;
      const length = compression === 'gz' ? GZIP_SIZE_BYTES : HEAD_BYTES;
      const bytes = await readAt(handle, Buffer.alloc(length), at);
      const said = compression === 'gz' ? gzipSize(bytes) : zstdSize(bytes);
      // Text never becomes larger by being packed: then it is not all that is meant.
      return said !== undefined && said >= size ? said : size * USUAL_RATIO;
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw cannotRead(file, error);
  }
}

/** The size of the last part, without what goes beyond 32 bits (RFC 1952, ISIZE). */
function gzipSize(end: Buffer): number | undefined {
  return end.length < GZIP_SIZE_BYTES ? undefined : end.readUInt32LE();
}

/** The size of the first frame, where its head says it. */
function zstdSize(head: Buffer): number | undefined {
  if (head.length < HEAD_BYTES || head.readUInt32LE() !== 0xfd2f_b528) return undefined;
  const descriptor = head[4]!;
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3]!;
  const at = 5 + (isSingleSegment ? 0 : 1) + dictionaryBytes;
  switch (descriptor >> 6) {
    case 0:
      return isSingleSegment ? head[at] : undefined;
    case 1:
      return head.readUInt16LE(at) + 256;
    case 2:
      return head.readUInt32LE(at);
    default:
      return Number(head.readBigUInt64LE(at));
  }
}
