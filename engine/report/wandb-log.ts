import { crc32 } from 'node:zlib';

/**
 * The container of W&B's transaction logs: LevelDB's log format, in which a record is cut where a block of 32 KiB
 * ends, with another checksum (`wandb/sdk/internal/datastore.py`, until wandb 0.19;
 * https://github.com/google/leveldb/blob/main/doc/log_format.md).
 */

const BLOCK = 32_768;
/** Of a piece: checksum, length and kind. */
const HEADER = 7;
const KIND = { full: 1, first: 2, middle: 3, last: 4 } as const;

/** What a file begins with: its mark, two bytes that no text has, and the edition of the format. */
const FILE_HEADER = Uint8Array.of(...Buffer.from(':W&B'), 0xe1, 0xbe, 0);

/** Makes the bytes of a log, in the order in which they are to be written. */
export class WandbLog {
  #size = 0;

  /** The bytes of one more record, those of the header before the first. */
  record(data: Uint8Array): Uint8Array {
    const pieces: Uint8Array[] = [];
    const put = (bytes: Uint8Array): void => {
      pieces.push(bytes);
      this.#size += bytes.length;
    };
    if (this.#size === 0) put(FILE_HEADER);
    for (let done = 0, isFirst = true; isFirst || done < data.length; isFirst = false) {
      const left = BLOCK - (this.#size % BLOCK);
      // No piece begins where not even its header has room.
      if (left < HEADER) put(new Uint8Array(left));
      const room = (left < HEADER ? BLOCK : left) - HEADER;
      const part = data.subarray(done, done + room);
      done += part.length;
      const isLast = done === data.length;
      const kind = isFirst ? (isLast ? KIND.full : KIND.first) : isLast ? KIND.last : KIND.middle;
      put(piece(kind, part));
    }
    return Buffer.concat(pieces);
  }
}

function piece(kind: number, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEADER + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(4, data.length, true);
  view.setUint8(6, kind);
  bytes.set(data, HEADER);
  view.setUint32(0, crc32(bytes.subarray(6)), true);
  return bytes;
}
