import { Readable, type Transform } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import zlib from 'node:zlib';
import { LorafaError, messageOf } from '../errors.ts';
import { type TimeLimit, withinTime } from '../time-limit.ts';
import { corruptFile } from './file-problem.ts';
import { ZstandardUnpacker } from './zstandard.ts';

/** How a file is compressed, by the end of its name. */
export type Compression = 'gz' | 'zst';

/**
 * Bytes that are given to the JavaScript library at once: it unpacks all of them before it stops, and
 * four may become 128 KiB.
 */
const PIECE_BYTES = 64;

/** Bytes that are unpacked before they are passed on, and the seconds that this may take: a thousand times as long as it does. */
const UNPACKED_BYTES = 2 ** 18;
const UNPACK_SECONDS = 2;

/** Bytes that a compressed text may refer back to, as the program `zstd` allows without being asked. */
const MAX_WINDOW_BYTES = 2 ** 27;

/** No text becomes so much smaller, and gzip makes nothing so small: a file that does is meant to fill memory or disk. */
const MAX_RATIO = 2000;
/** Below that it does no harm. */
const HARMLESS_BYTES = 2 ** 24;

/** The compression that the name of a file tells; undefined for none. */
export function compressionOf(file: string): Compression | undefined {
  return (/\.(gz|zst)$/i.exec(file)?.[1]?.toLowerCase() as Compression | undefined) ?? undefined;
}

/** The name of a file without what says that it is compressed. */
export function withoutCompression(file: string): string {
  return file.replace(/\.(gz|zst)$/i, '');
}

/**
 * What compressed bytes are.
 *
 * @param file its name, for errors
 * @throws LorafaError `data.corrupt` for what is damaged, cut short or made to be too large
 */
export async function* unpacked(
  file: string,
  compression: Compression,
  packed: AsyncIterable<Buffer>,
): AsyncGenerator<Buffer> {
  let [taken, given] = [0, 0];
  async function* counted(): AsyncGenerator<Buffer> {
    for await (const chunk of packed) {
      taken += chunk.length;
      yield chunk;
    }
  }
  try {
    for await (const chunk of unpack(file, compression, counted())) {
      given += chunk.length;
      if (given > HARMLESS_BYTES && given > taken * MAX_RATIO) {
        throw new Error(`it unpacks to more than ${MAX_RATIO} times its size`);
      }
      yield chunk;
    }
  } catch (error) {
    // A file that cannot be read has an error of its own.
    if (error instanceof LorafaError) throw error;
    throw corruptFile(file, `${messageOf(error)}; pack or download it again`);
  }
}

/**
 * Zstandard through a library in all versions of Node: where Node has it (from 22.15 on), it ends at the end of
 * the first frame without a word, and large files are often made of several.
 */
function unpack(
  file: string,
  compression: Compression,
  packed: AsyncGenerator<Buffer>,
): AsyncIterable<Buffer> {
  return compression === 'gz' ? throughNode(zlib.createGunzip(), packed) : unpackZstd(file, packed);
}

async function* throughNode(
  unpacker: Transform,
  packed: AsyncGenerator<Buffer>,
): AsyncGenerator<Buffer> {
  const source = Readable.from(packed);
  source.on('error', (error) => unpacker.destroy(error));
  try {
    yield* source.pipe(unpacker) as AsyncIterable<Buffer>;
  } finally {
    source.destroy();
  }
}

async function* unpackZstd(file: string, packed: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const pieces: Uint8Array[] = [];
  const unpacker = new ZstandardUnpacker((data) => pieces.push(data), MAX_WINDOW_BYTES);
  // The library copies on where what it copies is far too long: for minutes, if nobody ends it.
  const limit: TimeLimit = {
    seconds: UNPACK_SECONDS,
    code: 'data.corrupt',
    subject: `Unpacking a part of ${file}`,
    advice: 'pack or download it again',
    file,
  };
  for await (const chunk of packed) {
    for (let at = 0; at < chunk.length; ) {
      const start = at;
      at = withinTime(limit, () => {
        let next = start;
        for (let size = 0; next < chunk.length && size < UNPACKED_BYTES; next += PIECE_BYTES) {
          const before = pieces.length;
          unpacker.push(chunk.subarray(next, next + PIECE_BYTES), false);
          for (const piece of pieces.slice(before)) size += piece.length;
        }
        return next;
      });
      for (const piece of pieces.splice(0)) yield Buffer.from(piece);
    }
    await setImmediate();
  }
  unpacker.push(new Uint8Array(0), true);
  for (const piece of pieces) yield Buffer.from(piece);
}
