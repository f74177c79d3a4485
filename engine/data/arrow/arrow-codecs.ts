import { CompressionType, setCompressionCodec } from '@uwdata/flechette';
import { unpackZstandard } from '../zstandard.ts';
import { unpackLz4Frame } from './lz4-frame.ts';

/** Bytes that the columns of a record batch may unpack to. */
const MAX_BATCH_BYTES = 2 ** 30;

/** What is left of that for the record batch that is decoded now: the library keeps its codecs for all. */
let left = 0;

/** Decodes a record batch, whose columns may be compressed and may not unpack to more than fits. */
export function withCodecs<T>(decode: () => T): T {
  left = MAX_BATCH_BYTES;
  return decode();
}

function codec(unpack: (packed: Uint8Array, into: Uint8Array) => number) {
  return {
    decode: (packed: Uint8Array, length: number): Uint8Array => {
      left -= length;
      if (!(length >= 0) || left < 0) {
        throw new Error(
          `a record batch unpacks to more than ${MAX_BATCH_BYTES / 2 ** 20} MiB; write it with smaller ones`,
        );
      }
      const bytes = new Uint8Array(length);
      if (unpack(packed, bytes) !== length) throw new Error('a column is cut short');
      return bytes;
    },
    encode: (): never => {
      throw new Error('nothing is written');
    },
  };
}

setCompressionCodec(CompressionType.LZ4_FRAME, codec(unpackLz4Frame));
setCompressionCodec(CompressionType.ZSTD, codec(unpackZstandard));
