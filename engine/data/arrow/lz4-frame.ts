const MAGIC = 0x184d2204;

/** Bits of the first byte behind the magic. */
const HAS_DICTIONARY = 0x01;
const HAS_CHECKSUM = 0x04;
const HAS_SIZE = 0x08;
const HAS_BLOCK_CHECKSUMS = 0x10;

const UNCOMPRESSED = 0x8000_0000;

/** Of a repetition, which is not written. */
const MIN_MATCH = 4;

/**
 * Unpacks LZ4 frames, as Arrow compresses columns; checksums are not verified. Source: the
 * descriptions of the LZ4 frame and block formats (lz4.org).
 *
 * @returns how many bytes of `into` were filled
 * @throws Error for what is no such frame, or does not fit
 */
export function unpackLz4Frame(packed: Uint8Array, into: Uint8Array): number {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  let [at, done] = [0, 0];
  try {
    while (at < packed.length) {
      if (view.getUint32(at, true) !== MAGIC) throw broken();
      const flags = view.getUint8(at + 4);
      at += 7 + (flags & HAS_SIZE ? 8 : 0) + (flags & HAS_DICTIONARY ? 4 : 0);
      for (;;) {
        const word = view.getUint32(at, true);
        at += 4;
        if (word === 0) break;
        const length = word % UNCOMPRESSED;
        const block = packed.subarray(at, at + length);
        if (block.length < length) throw broken();
        done = word >= UNCOMPRESSED ? copy(block, into, done) : unpackBlock(block, into, done);
        at += length + (flags & HAS_BLOCK_CHECKSUMS ? 4 : 0);
      }
      at += flags & HAS_CHECKSUM ? 4 : 0;
    }
  } catch (error) {
    throw error instanceof RangeError ? broken() : error;
  }
  return done;
}

function copy(block: Uint8Array, into: Uint8Array, at: number): number {
  into.set(block, at);
  return at + block.length;
}

/** @returns where the block's bytes end in `into`; they may repeat what is before `start` */
function unpackBlock(block: Uint8Array, into: Uint8Array, start: number): number {
  let [at, done] = [0, start];
  const more = (length: number): number => {
    let sum = length;
    if (length < 15) return sum;
    for (let byte = 255; byte === 255; sum += byte) {
      byte = block[at++] ?? -1;
      if (byte < 0) throw broken();
    }
    return sum;
  };
  while (at < block.length) {
    const token = block[at++]!;
    const literals = more(token >> 4);
    if (at + literals > block.length) throw broken();
    into.set(block.subarray(at, at + literals), done);
    [at, done] = [at + literals, done + literals];
    // The last sequence has no repetition.
    if (at === block.length) break;
    const distance = block[at]! + (block[at + 1] ?? 0) * 256;
    at += 2;
    const length = more(token & 15) + MIN_MATCH;
    if (distance === 0 || distance > done || done + length > into.length) throw broken();
    // Byte by byte, since it may repeat itself.
    for (let index = 0; index < length; index++, done++) into[done] = into[done - distance]!;
  }
  return done;
}

function broken(): Error {
  return new Error('a column is not what LZ4 writes');
}
